import { CELLS, gapAt, LOG_WIDTHS, positionOf } from './axis.js';
import type { GapHistogram } from './histogram.js';
import { normalQuantile } from './normal.js';

/** Narrowest kernel, cells: 3 %. */
const LEAST_WIDTH = 1.4;
/** Silverman's factor, less smooth: gaps have narrow peaks. */
const WIDTH_FACTOR = 0.7;
const TAIL = 0.01;
const WIDE_SHARE = 0.1;
/** Cells that the table reaches beyond the gaps that were seen, at least. */
const MARGIN = 46;
/** Log density lost per cell outside the table, and at most. */
const FALL = 0.045;
const LEAST_OUTSIDE = 23;

/** Adds the counts of `from`, blurred by a normal kernel, to `out`, whose first cell is `origin`. */
function blur(
  { counts, first, last }: GapHistogram,
  out: Float64Array,
  origin: number,
  width: number,
  weight: number,
): void {
  const reach = Math.ceil(4 * width);
  const kernel = Float64Array.from({ length: reach + 1 }, (_, r) =>
    Math.exp(-0.5 * (r / width) ** 2),
  );
  const sum = kernel.reduce((total, k, r) => total + (r === 0 ? k : 2 * k), 0);
  for (let cell = first; cell <= last; cell++) {
    if (counts[cell] === 0) continue;
    const mass = (weight * counts[cell]!) / sum;
    const at = cell - origin;
    const low = Math.min(reach, at);
    const high = Math.min(reach, out.length - 1 - at);
    for (let r = 0; r <= low; r++) out[at - r]! += mass * kernel[r]!;
    for (let r = 1; r <= high; r++) out[at + r]! += mass * kernel[r]!;
  }
}

/**
 * How likely a gap is, learned from examples: a kernel density on the axis of gaps, with
 * a wide kernel and a flat tail mixed in, so that nothing is impossible.
 */
export class GapDensity {
  readonly #from: number;
  readonly #last: number;
  /** Per cell: log density per µs. */
  readonly #log: Float64Array;
  /** Per cell: share of the mass below its middle. */
  readonly #below: Float64Array;
  #scores: Float64Array | undefined;
  /** The greatest log density of any gap, per µs. */
  readonly most: number;
  readonly #outside: number;

  /**
   * @param gaps at least one
   * @param observations how many gaps of their own they stand for
   */
  constructor(gaps: GapHistogram, observations = gaps.total) {
    const bandwidth = WIDTH_FACTOR * gaps.spread() * Math.max(2, observations) ** -0.2;
    const width = Math.max(LEAST_WIDTH, bandwidth);
    const margin = Math.ceil(Math.max(MARGIN, 6 * width));
    const { tick } = gaps;
    // Of coarse clocks the next ticks to both sides are within the table.
    const lowest = Math.min(gaps.first - margin, positionOf(gapAt(gaps.first) - 2 * tick));
    const highest = Math.max(gaps.last + margin, positionOf(gapAt(gaps.last) + 2 * tick));
    this.#from = Math.max(0, Math.floor(lowest));
    const cells = Math.min(CELLS - 1, Math.ceil(highest)) - this.#from + 1;
    this.#last = cells - 1;
    const mass = new Float64Array(cells);
    blur(gaps, mass, this.#from, width, 1 - WIDE_SHARE);
    blur(gaps, mass, this.#from, 3 * width, WIDE_SHARE);
    let total = 0;
    for (let cell = 0; cell < cells; cell++) total += mass[cell]!;
    const flat = TAIL / cells;
    this.#log = new Float64Array(cells);
    this.#below = new Float64Array(cells);
    let below = 0;
    for (let cell = 0; cell < cells; cell++) {
      const share = ((1 - TAIL) * mass[cell]!) / total + flat;
      this.#log[cell] = Math.log(share) - LOG_WIDTHS[this.#from + cell]!;
      this.#below[cell] = below + share / 2;
      below += share;
    }
    this.#outside = Math.log(flat) - 3;
    if (tick > 0) this.#measureTicks(tick);
    this.most = this.#log.reduce((most, log) => (log > most ? log : most), -Infinity);
  }

  /**
   * Times of a coarse clock stand for anything within a tick: what counts is the mass of the tick that
   * a gap lies in, not the density at its middle, which is the higher the shorter the gap.
   */
  #measureTicks(tick: number): void {
    const below = this.#below;
    const shareBelow = (gap: number) => {
      const at = positionOf(gap) - this.#from;
      if (!(at > 0)) return 0;
      if (at >= this.#last) return 1;
      const cell = at | 0;
      return below[cell]! + (at - cell) * (below[cell + 1]! - below[cell]!);
    };
    for (let cell = 0; cell <= this.#last; cell++) {
      const gap = gapAt(this.#from + cell);
      const share = shareBelow(gap + tick / 2) - shareBelow(gap - tick / 2);
      this.#log[cell] = Math.log(Math.max(share, 1e-12) / tick);
    }
  }

  /** Log density of a gap, per µs. */
  log(gap: number): number {
    return this.logAt(positionOf(gap));
  }

  /** Log density at a position, per µs. */
  logAt(position: number): number {
    const at = position - this.#from;
    if (!(at >= 0 && at < this.#last)) return this.#logBeyond(position);
    const cell = at | 0;
    const low = this.#log[cell]!;
    return low + (at - cell) * (this.#log[cell + 1]! - low);
  }

  #logBeyond(position: number): number {
    const at = position - this.#from;
    const beyond = at < 0 ? -at : at - this.#last;
    const nearest = Math.max(0, Math.min(CELLS - 1, position | 0));
    return this.#outside - Math.min(LEAST_OUTSIDE, FALL * beyond) - LOG_WIDTHS[nearest]!;
  }

  /** Where a position lies among the examples, as the quantile of a standard normal. */
  scoreAt(position: number): number {
    this.#scores ??= this.#below.map((p) => normalQuantile(Math.min(1 - 1e-5, Math.max(1e-5, p))));
    const at = position - this.#from;
    if (!(at > 0)) return this.#scores[0]!;
    if (at >= this.#last) return this.#scores[this.#last]!;
    const cell = at | 0;
    const low = this.#scores[cell]!;
    return low + (at - cell) * (this.#scores[cell + 1]! - low);
  }

  /** Mean log density of the gaps of a histogram, nats. */
  meanLog({ counts, first, last, total }: GapHistogram): number {
    let sum = 0;
    for (let cell = first; cell <= last; cell++) {
      if (counts[cell]! > 0) sum += counts[cell]! * this.logAt(cell);
    }
    return sum / total;
  }
}
