import { readFileSync, rmSync } from 'node:fs';
import { startRecorder } from '../faults/recorder.js';
import { COUNTED_COLUMNS, readTape, type Tape } from '../faults/tape.js';
import type { TrafficProgram } from './tight-loop.js';

/** What a rate did to the recorder. */
export interface Sustained {
  /** Records that the kernel programs made, per second. */
  readonly rate: number;
  readonly produced: number;
  readonly stored: number;
  /** Lost, by cause, as the rows of the ledger say. */
  readonly losses: Readonly<Record<string, number>>;
  /** True if produced = stored + what the ledger has of lost records, exactly. */
  readonly isExact: boolean;
  /** Greatest resident size, bytes. */
  readonly peak: number;
  /** CPU seconds of the recorder per million records that it stored, segments closed. */
  readonly cpuPerMillion: number;
}

/** Clock ticks of /proc/<pid>/stat, s. */
const TICK = 0.01;

function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** CPU seconds of all children that ended and were waited for. */
function childrenCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK;
}

/** Of the losses in the ledger, those that are records. */
function lostRecords({ last, losses }: Tape): number {
  return Object.keys(last?.lost ?? {}).reduce((sum, cause) => sum + (losses[cause] ?? 0), 0);
}

/**
 * Has heads sent and received at a rate while recording.
 *
 * @param rate socket events per second
 * @param tape directory for the segments; removed at the end
 */
export async function sustain(
  traffic: TrafficProgram,
  tape: string,
  args: readonly string[],
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<Sustained> {
  const recorder = await startRecorder(tape, ['--process', 'traffic', ...args]);
  const beginMs = performance.now();
  await traffic.start('small-head', (rate * seconds) / 4, rate);
  const tookS = (performance.now() - beginMs) / 1000;
  const peak = peakOf(recorder.child.pid!);
  const before = childrenCpu();
  await recorder.end('SIGTERM');
  const cpu = childrenCpu() - before;
  const read = await readTape(tape, COUNTED_COLUMNS);
  rmSync(tape, { recursive: true });
  const produced = read.last?.produced ?? 0;
  const stored = read.events - (read.last?.repeated ?? 0);
  return {
    rate: produced / tookS,
    produced,
    stored,
    losses: read.losses,
    isExact: produced > 0 && produced === stored + lostRecords(read),
    peak,
    cpuPerMillion: (cpu / stored) * 1e6,
  };
}
