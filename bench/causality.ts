/**
 * What causality costs: exchanges per CPU second of its task alone (files in, file out), where
 * threads settle every call, and where timing must decide all of them.
 *
 *   npm run bench:causality -- [--requests 12000] [--timing-requests 3000] [--users 16] [--runs 5]
 *
 * The traffic is made, not recorded: see bench/causality/traffic.ts. Rightness is printed so that
 * nobody is fast by answering nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXCHANGE_COLUMNS } from '../src/model/exchange.js';
import { findCauses } from '../src/reconstruct/causality/causality.js';
import { CAUSE_COLUMNS } from '../src/reconstruct/causality/cause-table.js';
import { VerdictCode } from '../src/reconstruct/causality/decide.js';
import { readTable, writeTable } from '../src/store/table-file.js';
import { makeTraffic, type Threads } from './causality/traffic.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '12000' },
    'timing-requests': { type: 'string', default: '3000' },
    users: { type: 'string', default: '16' },
    runs: { type: 'string', default: '5' },
  },
});
/** Requests of one process; more of them are more processes, as in a recording of many services. */
const REQUESTS_PER_PROCESS = 6000;
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-causality-'));

async function prepare(threads: Threads, requests: number) {
  const truth: Int32Array[] = [];
  const files: string[] = [];
  for (let left = requests; left > 0; left -= REQUESTS_PER_PROCESS) {
    const count = Math.min(left, REQUESTS_PER_PROCESS);
    const traffic = makeTraffic(files.length, count, Number(values.users), threads);
    const file = join(directory, `${threads}-${files.length}.arrow`);
    await writeTable(file, EXCHANGE_COLUMNS, traffic.exchanges);
    files.push(file);
    truth.push(traffic.truth);
  }
  return { files, truth };
}

/** Share of calls whose first candidate is the parent and was chosen, and of wrong ones. */
async function check(output: string, truth: Int32Array) {
  const causes = await readTable(output, CAUSE_COLUMNS);
  const counts = { right: 0, wrong: 0, calls: 0 };
  for (let row = 0; row < causes.rows; row++) {
    if (causes.rank[row] !== 0) continue;
    counts.calls++;
    const verdict = causes.verdict[row];
    if (verdict !== VerdictCode.certain && verdict !== VerdictCode.probable) continue;
    const isRight = causes.parent_row[row] === truth[causes.client_row[row]!];
    counts[isRight ? 'right' : 'wrong']++;
  }
  return counts;
}

async function measure(name: string, goal: number, threads: Threads, requests: number) {
  const { files, truth } = await prepare(threads, requests);
  const outputOf = (i: number) => join(directory, `${threads}-${i}.causes.arrow`);
  const rows = truth.reduce((sum, { length }) => sum + length, 0);
  const rates: number[] = [];
  for (let run = 0; run <= Number(values.runs); run++) {
    const before = process.cpuUsage();
    for (const [i, file] of files.entries()) {
      await findCauses({ hints: [], exchanges: [file], output: outputOf(i) });
    }
    const { user, system } = process.cpuUsage(before);
    // The first run compiles.
    if (run > 0) rates.push(rows / ((user + system) / 1e6));
  }
  const sum = { right: 0, wrong: 0, calls: 0 };
  for (const [i, causes] of truth.entries()) {
    const counts = await check(outputOf(i), causes);
    for (const key of ['right', 'wrong', 'calls'] as const) sum[key] += counts[key];
  }
  rates.sort((a, b) => a - b);
  const median = rates[Math.floor(rates.length / 2)]!;
  const percent = (part: number) => `${((part / sum.calls) * 100).toFixed(2)} %`;
  const cells = [
    name,
    String(rows),
    (rows / median).toFixed(2),
    Math.round(median).toLocaleString('en'),
    `>= ${goal.toLocaleString('en')}: ${median >= goal ? 'met' : 'missed'}`,
    percent(sum.right),
    percent(sum.wrong),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}`;
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${machine}, ${values.users} requests at once\n`,
);
console.log('| traffic | exchanges | CPU s | exchanges / CPU s | goal | right | wrong |');
console.log('|---|---|---|---|---|---|---|');
try {
  const requests = Number(values.requests);
  await measure('context: a thread per request', 200_000, 'own', requests);
  await measure('context: event loops', 200_000, 'loop', requests);
  await measure('timing alone', 20_000, 'none', Number(values['timing-requests']));
} finally {
  rmSync(directory, { recursive: true });
}
