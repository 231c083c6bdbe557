/**
 * What recording does to a service: the shop under a fixed rate, in pairs of runs without and
 * with aftertrace, in random order. Latency at the load driver, and the CPU time of the whole
 * host, each as the ratio of the two runs of a pair with a 95 % interval.
 *
 *   npm run bench:overhead -- [--pairs 10] [--seconds 6] [--rate 150] [--seed 1]
 *
 * Needs root and eBPF. Whatever else the host does is in the figures: the interval says how much
 * they bear. For the exact cost by accounting see bench/recorder.ts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRecorder } from '../fixtures/record-shop.mjs';
import { startShop } from '../fixtures/shop.mjs';
import { describeRatio, median, ratioOf } from './overhead/ratio.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '6' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
  },
});
const pairs = Number(values.pairs);
const load = { seconds: Number(values.seconds), rate: Number(values.rate) };
const ARMS = ['nothing', 'aftertrace'] as const;
type Arm = (typeof ARMS)[number];
/** Clock ticks of /proc/stat, s. */
const TICK = 0.01;

/** What one run shows. */
interface Run {
  /** Latency of end-user requests at the load driver, ms. */
  readonly p50: number;
  readonly p99: number;
  /** CPU of the whole host per end-user request, ms. */
  readonly cpu: number;
  /** Of the requests sent. */
  readonly failed: number;
}
const METRICS = [
  ['latency p50, ms', 'p50'],
  ['latency p99, ms', 'p99'],
  ['CPU of the host per request, ms', 'cpu'],
] as const;

/** CPU seconds that all processors have spent on anything but idling, waiting and stolen time. */
function hostCpu(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!;
  const [user, nice, system, , , irq, softirq] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq!) * TICK;
}

const directory = mkdtempSync(join(tmpdir(), 'aftertrace-overhead-'));
const shop = await startShop({ directory });

async function run(arm: Arm, seed: number): Promise<Run> {
  const segments = join(directory, 'segments');
  rmSync(segments, { recursive: true, force: true });
  const recorder = arm === 'aftertrace' ? startRecorder(segments) : undefined;
  await recorder?.ready;
  // Start-up is no part of the claim, which is about a recorder that runs always.
  await shop.drive({ ...load, seconds: 2, seed: seed + 10_000 });
  const before = hostCpu();
  const { sent, failed, latency } = await shop.drive({ ...load, seed });
  const cpu = ((hostCpu() - before) / sent) * 1000;
  await recorder?.stop();
  await sleep(200);
  return { p50: latency.p50Ms, p99: latency.p99Ms, cpu, failed };
}

const results: Record<Arm, Run[]> = { nothing: [], aftertrace: [] };
try {
  await shop.drive({ ...load, seconds: 5, seed: 99 });
  for (let pair = 0; pair < pairs; pair++) {
    const seed = Number(values.seed) + pair;
    // Turn about, so that neither arm always comes second.
    const order = pair % 2 === 0 ? ARMS : [...ARMS].reverse();
    for (const arm of order) results[arm].push(await run(arm, seed));
    console.error(`pair ${pair + 1} of ${pairs}`);
  }
} finally {
  await shop.stop();
  rmSync(directory, { recursive: true, force: true });
}

const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
  encoding: 'utf8',
}).trim();
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}, commit ${commit}; ${pairs} pairs of ${load.seconds} s at ${load.rate} requests a second\n`,
);
console.log('| measure | nothing | aftertrace | ratio | 95 % interval | spread of pairs |');
console.log('|---|---|---|---|---|---|');
for (const [name, key] of METRICS) {
  const [without, recorded] = ARMS.map((arm) => results[arm].map((run) => run[key]));
  const ratio = ratioOf(without!, recorded!, Number(values.seed));
  const cells = [name, median(without!).toFixed(3), median(recorded!).toFixed(3)];
  console.log(`| ${[...cells, ...describeRatio(ratio)].join(' | ')} |`);
}
const failed = ARMS.map((arm) => results[arm].reduce((sum, run) => sum + run.failed, 0));
console.log(`\nfailed requests: nothing ${failed[0]}, aftertrace ${failed[1]}`);
