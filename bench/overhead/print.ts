import type { Arm } from './arms.js';
import { describeRatio, median, ratioOf } from './ratio.js';
import type { Run } from './rounds.js';

type Results = ReadonlyMap<string, readonly Run[]>;
type Metric = readonly [name: string, of: (run: Run) => number, digits: number];

const OPEN: readonly Metric[] = [
  ['latency p50, ms', (run) => run.p50, 2],
  ['latency p99, ms', (run) => run.p99, 2],
  ['CPU of services and recorder per request, ms', (run) => run.cpu, 3],
];
const CLOSED: readonly Metric[] = [
  ['requests a second', (run) => run.perSecond, 0],
  ['latency p50, ms', (run) => run.p50, 2],
  ['CPU of services and recorder per request, ms', (run) => run.cpu, 3],
];

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

const medianOf = (runs: readonly Run[], of: (run: Run) => number) => median(runs.map(of));

/** Each arm against the runs with nothing of the same rounds. */
function printRatios(
  arms: readonly Arm[],
  results: Results,
  metrics: readonly Metric[],
  seed: number,
): void {
  row(['arm', 'measure', 'with nothing', 'with it', 'ratio', '95 % interval', 'spread of pairs']);
  row(['---', '---', '---', '---', '---', '---', '---']);
  for (const arm of arms) {
    if (arm.against === arm.name) continue;
    const runs = results.get(arm.name)!;
    const base = results.get(arm.against)!.slice(0, runs.length);
    for (const [name, of, digits] of metrics) {
      const ratio = ratioOf(base.map(of), runs.map(of), seed);
      const values = [base, runs].map((list) => medianOf(list, of).toFixed(digits));
      row([arm.name, name, ...values, ...describeRatio(ratio)]);
    }
  }
}

/** Latency, CPU, memory, disk and losses under the fixed rate. */
export function printOpen(arms: readonly Arm[], results: Results, seed: number): void {
  printRatios(arms, results, OPEN, seed);
  console.log('');
  row([
    'arm',
    'recorder CPU per request, µs',
    'peak memory, MiB',
    'bytes on disk per request',
    'records lost',
    'failed requests',
    'runs',
  ]);
  row(['---', '---', '---', '---', '---', '---', '---']);
  for (const { name } of arms) {
    const runs = results.get(name)!;
    const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
    row([
      name,
      (medianOf(runs, (run) => run.recorderCpu) * 1000).toFixed(0),
      (Math.max(...runs.map((run) => run.peak)) / 2 ** 20).toFixed(0),
      medianOf(runs, (run) => run.bytesEach).toFixed(0),
      sum((run) => run.lost),
      `${sum((run) => run.failed)} of ${sum((run) => run.sent)}`,
      runs.length,
    ]);
  }
}

/** Throughput and what it costs when as much is asked as can be answered. */
export function printClosed(arms: readonly Arm[], results: Results, seed: number): void {
  printRatios(arms, results, CLOSED, seed);
}
