/**
 * How right the reconstruction is, on live traffic and ground truth that it cannot see.
 *
 *   npm run bench:accuracy -- [--seconds 15] [--rate 150] [--seed 1] [--in DIR] [--json]
 *
 * Records the shop of fixtures/ (or takes a directory that holds segments/ and truth/),
 * reconstructs it, and scores the spans against the services' own logs, beside what
 * simple online rules answer on the same spans.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reconstruct } from '../src/reconstruct/reconstruct.js';
import { readReconstruction } from '../src/store/span-store.js';
import { BASELINES } from './accuracy/baselines.js';
import { formatComparison, formatScore } from './accuracy/format.js';
import { score } from './accuracy/score.js';
import { readTruth } from './accuracy/truth.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    in: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

async function record(): Promise<string> {
  const { recordShop } = await import('../fixtures/record-shop.mjs');
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-accuracy-'));
  const numbers = {
    seconds: Number(values.seconds),
    rate: Number(values.rate),
    seed: Number(values.seed),
  };
  await recordShop({ directory, ...numbers, onPhase: (text: string) => console.error(text) });
  return directory;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

const directory = values.in ?? (await record());
const output = mkdtempSync(join(tmpdir(), 'aftertrace-accuracy-out-'));
await reconstruct({ inputs: [join(directory, 'segments')], output });
const { spans, reconstruction } = await readReconstruction(output);
const toMs = (ns: string) => Number(BigInt(ns) / 1_000_000n);
const truth = readTruth(join(directory, 'truth'), {
  from: toMs(reconstruction.fromNs),
  to: toMs(reconstruction.toNs),
});
const own = score(spans, truth);
const rows = [
  { name: 'aftertrace', score: own },
  ...BASELINES.map((baseline) => {
    const { name, parentOf } = baseline(spans);
    return { name, score: score(spans, truth, parentOf) };
  }),
];
if (values.json) {
  const plain = { ...own, services: Object.fromEntries(own.services) };
  console.log(JSON.stringify({ directory, output, ...plain }, null, 2));
} else {
  const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}`;
  console.log(
    `${new Date().toISOString().slice(0, 10)}, commit ${commit()}, ${machine}\nrecording: ${directory}\n`,
  );
  console.log(`${formatScore(own)}\n\n${formatComparison(rows)}`);
}
