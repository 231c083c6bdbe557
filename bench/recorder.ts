/**
 * What recording costs, by accounting: the kernel's own measure of the run time of our
 * programs (kernel.bpf_stats_enabled) and the CPU time of the recorder process.
 *
 *   npm run bench:recorder -- [--seconds 20] [--rate 150] [--seed 1] [--warm-up 30] [--repeat 7]
 *       [--capture auto|socket|syscall]
 *   npm run bench:recorder -- --sustain 100000,200000 [--seconds 60] [--ring-size 8MiB]
 *
 * First in a tight loop (bench/recorder/traffic.c), the median of several runs, then through the four
 * services of bench:overhead: plain HTTP alone, and with TLS and hints.
 *
 * --sustain instead has that many socket events happen every second, each a record with a head, for
 * that long: what arrived, what was lost, and whether the ledger has all of it.
 *
 * Counted after a warm-up under the same load, because a recorder runs always: compiling its
 * JavaScript costs some 0.1 s, once, most of it in the first half minute. --warm-up 0 counts that too.
 *
 * Needs root, eBPF, bpftool and clang. The kernel's measure includes itself, about 70 ns per run.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Bed, driveCommand, startBed } from '../fixtures/bed.mjs';
import { startRecorder } from '../fixtures/record-shop.mjs';
import { median } from './overhead/ratio.js';
import { programsOf, runsBetween } from './recorder/programs.js';
import { sustain } from './recorder/sustained.js';
import {
  buildTraffic,
  TRAFFIC,
  type Traffic,
  type TrafficProgram,
  UNRELATED,
} from './recorder/tight-loop.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    'warm-up': { type: 'string', default: '30' },
    repeat: { type: 'string', default: '7' },
    capture: { type: 'string', default: 'auto' },
    sustain: { type: 'string' },
    'ring-size': { type: 'string', default: '8MiB' },
  },
});
const CAPTURE = ['--capture', values.capture];
/** Programs that tell of sends and receives: on_io runs at every system call of the host. */
const EVENT_PROGRAMS = ['on_send', 'on_receive', 'on_io'];
const STATS = '/proc/sys/kernel/bpf_stats_enabled';

/** Clock ticks of /proc/<pid>/stat, s. */
const TICK = 0.01;

/** CPU seconds of a process so far, and its greatest resident size, bytes. */
function usageOf(pid: number): { cpu: number; peak: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpu: (Number(fields[11]) + Number(fields[12])) * TICK, peak: Number(peak) * 1024 };
}

function diskBytes(directory: string): number {
  return readdirSync(directory).reduce(
    (sum, name) => sum + statSync(join(directory, name)).size,
    0,
  );
}

const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);

/** CPU ns of one unrelated system call, and of one socket event, the kernel's own work included. */
function loopCosts(traffic: TrafficProgram): Map<string, number> {
  return new Map<string, number>([
    ...UNRELATED.map((call): [string, number] => [call, traffic.callNs(call)]),
    ...TRAFFIC.map((kind): [string, number] => [kind, traffic.run(kind) / 4]),
  ]);
}

function printRatios(
  alone: readonly ReadonlyMap<string, number>[],
  recorded: readonly ReadonlyMap<string, number>[],
): void {
  row('CPU ns per call or event', 'nothing attached', 'recording', 'ratio');
  row('---', '---', '---', '---');
  for (const name of alone[0]!.keys()) {
    const [without, withIt] = [alone, recorded].map((runs) =>
      median(runs.map((run) => run.get(name)!)),
    );
    row(name, without!.toFixed(0), withIt!.toFixed(0), (withIt! / without!).toFixed(2));
  }
  console.log('');
}

/** What a loop costs that does nothing but socket events, or nothing but other system calls. */
async function measureTightLoop(segments: string, repeat: number): Promise<void> {
  const traffic = buildTraffic();
  try {
    // The kernel's measure has a price of its own: it is off where the whole is looked at.
    writeFileSync(STATS, '0');
    const alone = Array.from({ length: repeat }, () => loopCosts(traffic));
    const recorder = startRecorder(segments, ['--process', 'traffic', ...CAPTURE]);
    await recorder.ready;
    const recorded = Array.from({ length: repeat }, () => loopCosts(traffic));
    writeFileSync(STATS, '1');
    const pid = recorder.child.pid!;
    const costs = new Map<Traffic, number[]>(TRAFFIC.map((kind) => [kind, []]));
    for (let i = 0; i < repeat; i++) {
      for (const kind of TRAFFIC) {
        const before = programsOf(pid);
        traffic.run(kind);
        const ran = runsBetween(before, programsOf(pid)).filter(({ name }) =>
          EVENT_PROGRAMS.includes(name),
        );
        const sum = (value: (program: (typeof ran)[number]) => number) =>
          ran.reduce((total, program) => total + value(program), 0);
        costs.get(kind)!.push(sum(({ ns }) => ns) / sum(({ runs }) => runs));
      }
    }
    await recorder.stop();
    row('tight loop', 'ns per run of a program, median', 'least');
    row('---', '---', '---');
    for (const [kind, ns] of costs) row(kind, Math.round(median(ns)), Math.round(Math.min(...ns)));
    console.log('');
    printRatios(alone, recorded);
  } finally {
    traffic.remove();
  }
}

/** What the recorder is run with: as bench:overhead runs it. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  'plain HTTP': ['--hints', 'none', '--tls', 'off'],
  'TLS and hints': [],
};

async function drive(bed: Bed, seconds: number): Promise<number> {
  const [program, args] = driveCommand({
    port: bed.ports.plain![0]!,
    seconds,
    rate: load.rate,
    connections: 64,
    seed: load.seed,
  });
  const { stdout } = await promisify(execFile)(program, args);
  return (JSON.parse(stdout) as { sent: number }).sent;
}

/** Has the open segment closed, by a signal that also makes it read its settings again: some 0.05 s. @returns CPU seconds */
async function closeSegment({ child }: ReturnType<typeof startRecorder>): Promise<number> {
  const { cpu } = usageOf(child.pid!);
  const closed = new Promise<void>((resolve) => {
    child.stderr!.on('data', (data) => {
      if (String(data).includes('closed ')) resolve();
    });
  });
  child.kill('SIGHUP');
  await closed;
  return usageOf(child.pid!).cpu - cpu;
}

/** The recorder's cost of a request through the four services, by accounting. */
async function measureBed(bed: Bed, name: string, args: readonly string[]): Promise<void> {
  const segments = join(directory, 'segments');
  rmSync(segments, { recursive: true, force: true });
  writeFileSync(STATS, '1');
  const recorder = startRecorder(segments, [...args, ...CAPTURE]);
  await recorder.ready;
  const warmUp = Number(values['warm-up']);
  const warm = warmUp > 0 ? await drive(bed, warmUp) : 0;
  const pid = recorder.child.pid!;
  const start = { programs: programsOf(pid), usage: usageOf(pid) };
  const sent = await drive(bed, load.seconds);
  // What was recorded last is drained within a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const end = { programs: programsOf(pid), usage: usageOf(pid) };
  const closing = await closeSegment(recorder);
  const { log } = await recorder.stop();
  writeFileSync(STATS, before);
  const events = Number(
    /([\d,]+) events/.exec(log.slice(log.lastIndexOf('recorded')))?.[1]?.replaceAll(',', ''),
  );
  const programs = runsBetween(start.programs, end.programs);
  const kernel = programs.reduce((sum, { ns }) => sum + ns, 0) / 1e9;
  const recorderCpu = end.usage.cpu - start.usage.cpu;
  // The segment holds the warm-up too.
  const closingCpu = (closing / (warm + sent)) * sent;
  const total = kernel + recorderCpu + closingCpu;
  const each = (seconds: number) => `${((seconds / sent) * 1e6).toFixed(1)} µs`;
  row(name, 'runs', 'ns per run');
  row('---', '---', '---');
  for (const { name, runs, ns } of programs.sort((a, b) => b.ns - a.ns)) {
    if (runs > 0) row(name, runs, Math.round(ns / runs));
  }
  console.log('');
  row(name, `${sent} requests`, 'per end-user request');
  row('---', '---', '---');
  row('events', events, (events / (warm + sent)).toFixed(1));
  row('kernel programs', `${kernel.toFixed(3)} s`, each(kernel));
  row('recorder, CPU', `${recorderCpu.toFixed(3)} s`, each(recorderCpu));
  row('closing segments, CPU', `${closingCpu.toFixed(3)} s`, each(closingCpu));
  row('together', `${((total / load.seconds) * 100).toFixed(2)} % of one core`, each(total));
  row('recorder, peak memory', `${(end.usage.peak / 2 ** 20).toFixed(0)} MiB`, '');
  const bytes = diskBytes(segments);
  row('on disk', `${(bytes / 2 ** 20).toFixed(2)} MiB`, `${(bytes / (warm + sent)).toFixed(0)} B`);
  console.log('');
}

/** How much can be recorded without end, and what becomes of more. */
async function measureSustained(rates: readonly number[], seconds: number): Promise<void> {
  const traffic = buildTraffic();
  try {
    row('records a second', 'stored', 'lost', 'produced = stored + lost', 'peak memory', 'CPU');
    row('---', '---', '---', '---', '---', '---');
    for (const rate of rates) {
      const args = ['--ring-size', values['ring-size'], ...CAPTURE];
      const found = await sustain(traffic, join(directory, 'tape'), args, { rate, seconds });
      const lost = Object.entries(found.losses).map(([cause, count]) => `${cause} ${count}`);
      row(
        `${Math.round(found.rate)} for ${seconds} s`,
        found.stored,
        lost.join(', ') || 'nothing',
        found.isExact ? 'exactly' : `NOT: ${found.produced}`,
        `${(found.peak / 2 ** 20).toFixed(0)} MiB`,
        `${found.cpuPerMillion.toFixed(2)} s per million`,
      );
      if (!found.isExact) process.exitCode = 1;
    }
  } finally {
    traffic.remove();
  }
}

const directory = mkdtempSync(join(tmpdir(), 'aftertrace-cost-'));
const load = {
  seconds: Number(values.seconds ?? 20),
  rate: Number(values.rate),
  seed: Number(values.seed),
};
const before = readFileSync(STATS, 'utf8');

/** In a tight loop, then through the four services. */
async function measureCosts(): Promise<void> {
  writeFileSync(STATS, '1');
  try {
    await measureTightLoop(join(directory, 'tight'), Number(values.repeat));
  } finally {
    writeFileSync(STATS, before);
  }
  const bed = await startBed({ directory, fronts: { plain: {} } });
  try {
    await drive(bed, 3);
    console.log(
      `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}; ${load.seconds} s at ${load.rate} requests a second after ${values['warm-up']} s of warm-up\n`,
    );
    for (const [name, args] of Object.entries(SETTINGS)) await measureBed(bed, name, args);
  } finally {
    writeFileSync(STATS, before);
    await bed.stop();
  }
}

try {
  const rates = values.sustain?.split(',').map(Number);
  if (rates === undefined) await measureCosts();
  else await measureSustained(rates, Number(values.seconds ?? 60));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
