import { LossCause } from '../model/event.js';
import type { SourceStats } from './source.js';

/**
 * What one record costs in the kernel where the kernel does not measure it (kernel.bpf_stats_enabled
 * is off), ns: bench:recorder found 0.5 us for a send or receive and less for the others.
 */
const ASSUMED_NS_PER_RECORD = 500;

/** What recording cost since the look before. */
export interface Cost {
  readonly seconds: number;
  /** Own CPU time and that of the kernel programs, as a share of one processor. */
  readonly cpuShare: number;
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Sends and receives that the budget's sample left out. */
  readonly leftOutPerSecond: number;
}

interface Totals {
  readonly ms: number;
  /** Own CPU time of all threads, microseconds. */
  readonly cpuUs: number;
  readonly produced: number;
  readonly leftOut: number;
  readonly runTimeNs: number;
  readonly bytes: number;
}

function totalsNow({ produced, runTimeNs, dropped }: SourceStats, bytes: number): Totals {
  const { user, system } = process.cpuUsage();
  const leftOut = dropped[LossCause.budgetSample];
  return { ms: performance.now(), cpuUs: user + system, produced, leftOut, runTimeNs, bytes };
}

/** Measures what recording costs, from look to look. */
export class CostMeter {
  private last: Totals;

  constructor(stats: SourceStats) {
    this.last = totalsNow(stats, 0);
  }

  /** @param bytes written to the disk so far */
  read(stats: SourceStats, bytes: number): Cost {
    const now = totalsNow(stats, bytes);
    const { last } = this;
    this.last = now;
    const seconds = Math.max(0.001, (now.ms - last.ms) / 1000);
    const measuredNs = now.runTimeNs - last.runTimeNs;
    const records = now.produced - last.produced;
    const kernelNs = measuredNs > 0 ? measuredNs : records * ASSUMED_NS_PER_RECORD;
    return {
      seconds,
      cpuShare: ((now.cpuUs - last.cpuUs) * 1e-6 + kernelNs * 1e-9) / seconds,
      eventsPerSecond: records / seconds,
      bytesPerSecond: (now.bytes - last.bytes) / seconds,
      leftOutPerSecond: (now.leftOut - last.leftOut) / seconds,
    };
  }
}
