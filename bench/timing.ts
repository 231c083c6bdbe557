/**
 * How many parents timing alone finds: imports Jaeger traces with --forget-parents, runs causality
 * on them, and compares with the parents that the files state.
 *
 *   npm run bench:timing -- [FILE.jsonl.gz ...] [--min-confidence 0.5] [--times 10]
 *   npm run bench:timing -- --generated 101,102 [--family cache] [--requests 1000]
 *
 * Without files it takes those of ../shared/data/traceweaver, and says so if they are absent.
 * --generated plays random applications instead (bench/timing/programs.ts), one of each family per
 * seed: seeds below 100 served to tune the method, those from 100 on are for reports. --times
 * appends that many copies of a file, one after the other, to show that cost stays linear.
 * The truth is read here from the files themselves, not by the import under test. CPU is that of
 * the inference alone, in this process: reading and writing files comes on top.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { importSpans } from '../src/import/import.js';
import { inferImport } from './timing/infer.js';
import { repeatJaegerFile, writeJaegerFile } from './timing/jaeger-file.js';
import { FAMILIES } from './timing/programs.js';
import { type Score, scoreLinks } from './timing/score.js';
import { play } from './timing/simulate.js';
import { readTruth } from './timing/truth.js';

const DATA = join(import.meta.dirname, '../../shared/data/traceweaver');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'min-confidence': { type: 'string' },
    times: { type: 'string', default: '1' },
    generated: { type: 'string' },
    family: { type: 'string' },
    requests: { type: 'string', default: '1000' },
  },
});
const scratch = mkdtempSync(join(tmpdir(), 'aftertrace-timing-'));

const percent = (part: number, whole: number) =>
  whole === 0 ? '-' : `${((part / whole) * 100).toFixed(2)} %`;

function row(name: string, score: Score, cpu: number, exchanges: number): string {
  const { calls, right, wrong, unknown, roots, rootsRight, traces } = score;
  const cells = [
    name,
    percent(score.wholeSimple, traces),
    percent(score.whole, traces),
    percent(right, calls),
    percent(unknown, calls),
    percent(wrong, right + wrong),
    roots === 0 ? '-' : `${rootsRight} of ${roots}`,
    percent(score.calibration, 1),
    `${cpu.toFixed(2)} s`,
    Math.round(exchanges / cpu).toLocaleString('en'),
  ];
  return `| ${cells.join(' | ')} |`;
}

async function measure(name: string, path: string, knowsClients: boolean): Promise<void> {
  const imported = join(scratch, 'imported');
  const files = [path];
  await importSpans({ format: 'jaeger', files, output: imported, forgetParents: true });
  const least = values['min-confidence'];
  const found = await inferImport(imported, least === undefined ? undefined : Number(least));
  const score = scoreLinks(found.links, readTruth(path, knowsClients));
  console.log(row(name, score, found.cpu, found.exchanges));
  rmSync(imported, { recursive: true });
}

async function measureGenerated(seeds: readonly number[]): Promise<void> {
  for (const [family, traits] of Object.entries(FAMILIES)) {
    if (values.family !== undefined && values.family !== family) continue;
    for (const seed of seeds) {
      const path = join(scratch, 'generated.jsonl.gz');
      writeJaegerFile(path, play(traits, seed, Number(values.requests)), seed);
      await measure(`${family}, ${seed}`, path, true);
    }
  }
}

async function measureFiles(files: readonly string[]): Promise<void> {
  const times = Number(values.times);
  for (const file of files) {
    const name = basename(file, '.jsonl.gz');
    const longer = join(scratch, 'repeated.jsonl.gz');
    if (times > 1) repeatJaegerFile(file, longer, times);
    await measure(times > 1 ? `${name} x ${times}` : name, times > 1 ? longer : file, false);
  }
}

if (values.generated === undefined && positionals.length === 0 && !existsSync(DATA)) {
  console.error(`SKIPPED: ${DATA} is absent, and no file was named.`);
  process.exit(0);
}
const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}`;
console.log(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
console.log(
  '| load | traces whole (services with one caller) | traces whole (all) | links right | unknown | wrong of linked | roots | calibration error | CPU | exchanges a second |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|');
try {
  if (values.generated !== undefined) {
    await measureGenerated(values.generated.split(',').map(Number));
  } else if (positionals.length > 0) await measureFiles(positionals);
  else {
    const names = readdirSync(DATA).filter((name) => name.endsWith('.jsonl.gz'));
    await measureFiles(names.sort().map((name) => join(DATA, name)));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
