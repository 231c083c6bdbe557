import { EventKind, LossCause } from '../model/event.js';
import { lossRow } from './loss-ledger.js';
import type { Row } from './rows.js';
import type { ClockReading } from './source.js';

/**
 * What the wall clock moves against the monotonic one between two looks without having been
 * set. Slewing moves both alike; readings differ by microseconds. A virtual machine may lose a millisecond.
 */
const STEP_NS = 5_000_000n;
/** Pairs are written at least this often. */
const PAIR_EVERY_NS = 10_000_000_000n;

const magnitude = (ns: bigint) => (ns < 0n ? -ns : ns);

/** Writes pairs of monotonic and wall clock, and tells when the wall clock was set or the host slept. */
export class ClockWatch {
  private last: ClockReading | undefined;
  private pairNs = 0n;
  /** Steps and sleeps so far. */
  readonly totals = { [LossCause.clockStep]: 0, [LossCause.suspend]: 0 };

  /** @param offsetNs time_ns minus the monotonic clock */
  constructor(private readonly offsetNs: bigint) {}

  /** Looks at the clocks, about once a second. @returns clock rows, and loss rows for steps */
  look(now: ClockReading): Row[] {
    const { last } = this;
    this.last = now;
    if (last === undefined) return [this.pair(now)];
    const slept = now.bootOffsetNs - last.bootOffsetNs;
    const moved = now.wallOffsetNs - last.wallOffsetNs;
    const isSleep = magnitude(slept) > STEP_NS;
    const set = isSleep ? moved - slept : moved;
    const isSet = magnitude(set) > STEP_NS;
    if (!isSleep && !isSet) {
      return now.monotonicNs - this.pairNs >= PAIR_EVERY_NS ? [this.pair(now)] : [];
    }
    // The pair before brackets the step: between the two readings the clock jumped.
    const rows = [this.pair(last), this.pair(now)];
    if (isSleep) rows.push(this.step(LossCause.suspend, last, now, slept, 'the host slept'));
    if (isSet) rows.push(this.step(LossCause.clockStep, last, now, set, 'the wall clock was set'));
    return rows;
  }

  /** What the wall clock said at a moment of the recording. */
  pair({ monotonicNs, wallOffsetNs }: ClockReading): Row {
    this.pairNs = monotonicNs;
    const timeNs = monotonicNs + this.offsetNs;
    return { timeNs, kind: EventKind.clock, count: monotonicNs + wallOffsetNs };
  }

  private step(
    cause: 'clock-step' | 'suspend',
    last: ClockReading,
    now: ClockReading,
    stepNs: bigint,
    scope: string,
  ): Row {
    this.totals[cause]++;
    return lossRow(cause, 1, now.monotonicNs + this.offsetNs, {
      fromNs: (last.monotonicNs + this.offsetNs).toString(),
      scope,
      stepNs: stepNs.toString(),
    });
  }
}
