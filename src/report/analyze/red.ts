import type { Comparison, Stats, Window, Windows } from '../contract.js';
import { quantile } from './quantile.js';
import type { Requests } from './requests.js';
import { isAnswered, type SpanIndex } from './span-index.js';
import { isIn, lengthOf } from './windows.js';

/** The two sides of every comparison: baseline (0) and incident (1). */
export interface Sides {
  readonly baseline: readonly Window[];
  /** The incident, or the whole recording where there is none. */
  readonly during: readonly Window[];
}

export function sidesOf(windows: Windows, range: Window): Sides {
  return { baseline: windows.baseline, during: [windows.incident ?? range] };
}

/** Collects the requests of one group on both sides: rate, errors, duration (RED). */
export class Tally {
  readonly #sides: Sides;
  readonly #requests = [0, 0];
  readonly #failed = [0, 0];
  readonly #durations: [number[], number[]] = [[], []];

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  /** @param duration ms, NaN where no answer was recorded */
  add(start: number, duration: number, failed: boolean): void {
    const side = isIn(this.#sides.during, start) ? 1 : isIn(this.#sides.baseline, start) ? 0 : -1;
    if (side === -1) return;
    this.#requests[side]!++;
    if (failed) this.#failed[side]!++;
    if (!Number.isNaN(duration)) this.#durations[side]!.push(duration);
  }

  #stats(side: 0 | 1, windows: readonly Window[]): Stats {
    const sorted = Float64Array.from(this.#durations[side]).sort();
    const seconds = lengthOf(windows) / 1000;
    return {
      requests: this.#requests[side]!,
      perSecond: seconds > 0 ? this.#requests[side]! / seconds : 0,
      failed: this.#failed[side]!,
      p50Ms: quantile(sorted, 0.5),
      p95Ms: quantile(sorted, 0.95),
      p99Ms: quantile(sorted, 0.99),
    };
  }

  compare(): Comparison {
    const { baseline, during } = this.#sides;
    return {
      before: baseline.length === 0 ? null : this.#stats(0, baseline),
      during: this.#stats(1, during),
    };
  }
}

/** The tally of a key, made when it is first asked for. */
export function tallyOf<K>(tallies: Map<K, Tally>, key: K, sides: Sides): Tally {
  const known = tallies.get(key);
  if (known !== undefined) return known;
  const fresh = new Tally(sides);
  tallies.set(key, fresh);
  return fresh;
}

export function addSpan(tally: Tally, index: SpanIndex, row: number): void {
  const answered = isAnswered(index.table, row);
  const duration = answered ? index.end[row]! - index.start[row]! : Number.NaN;
  tally.add(index.start[row]!, duration, index.failed[row] === 1);
}

export function addRequest(tally: Tally, requests: Requests, i: number): void {
  tally.add(requests.start[i]!, requests.duration[i]!, requests.failed[i] === 1);
}
