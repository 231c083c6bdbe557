import { normalQuantile } from './normal.js';

const CELLS = 512;
/** Gaps are judged on asinh(gap / SCALE): linear below 30 µs, logarithmic above. */
const SCALE = 30;
const LEAST_WIDTH = 0.03;
/** Silverman's factor, less smooth: gaps have narrow peaks. */
const WIDTH_FACTOR = 0.7;
const TAIL = 0.01;
const WIDE_SHARE = 0.1;

interface Spread {
  readonly least: number;
  readonly most: number;
  readonly width: number;
}

function spreadOf(sorted: Float64Array, effective: number): Spread {
  const n = sorted.length;
  const mean = sorted.reduce((sum, y) => sum + y, 0) / n;
  const variance = sorted.reduce((sum, y) => sum + (y - mean) ** 2, 0) / Math.max(1, n - 1);
  const at = (q: number) => sorted[Math.min(n - 1, Math.floor(q * n))]!;
  const quartiles = (at(0.75) - at(0.25)) / 1.34;
  const deviation = Math.sqrt(variance);
  const scale = Math.min(deviation, quartiles > 0 ? quartiles : deviation);
  const width = WIDTH_FACTOR * scale * Math.max(2, effective) ** -0.2;
  return { least: sorted[0]!, most: sorted[n - 1]!, width: Math.max(LEAST_WIDTH, width) };
}

/** Adds the counts, blurred by a normal kernel, to `out`. */
function blur(counts: Float64Array, out: Float64Array, width: number, weight: number): void {
  const reach = Math.min(CELLS - 1, Math.ceil(5 * width));
  const kernel = Float64Array.from({ length: reach + 1 }, (_, r) =>
    Math.exp(-0.5 * (r / width) ** 2),
  );
  const sum = kernel.reduce((total, k, r) => total + (r === 0 ? k : 2 * k), 0);
  for (let cell = 0; cell < CELLS; cell++) {
    if (counts[cell] === 0) continue;
    const mass = (weight * counts[cell]!) / sum;
    const last = Math.min(CELLS - 1, cell + reach);
    for (let at = Math.max(0, cell - reach); at <= last; at++) {
      out[at]! += mass * kernel[at < cell ? cell - at : at - cell]!;
    }
  }
}

/** Log of d gap / d y: what turns a density on the transformed axis into one per µs. */
function logSlope(y: number): number {
  return Math.log(SCALE * Math.cosh(Math.max(-500, Math.min(500, y))));
}

/**
 * How likely a gap is, learned from examples: a kernel density on a transformed axis, with
 * a wide kernel and a flat tail mixed in, so that nothing is impossible.
 */
export class GapDensity {
  readonly #from: number;
  readonly #step: number;
  /** Per cell: log density per µs, and the normal score of its middle. */
  readonly #log = new Float64Array(CELLS);
  readonly #score = new Float64Array(CELLS);
  readonly #outside: number;

  /**
   * @param gaps µs, at least one
   * @param copies how many of them stand for one observation
   */
  constructor(gaps: Float64Array, copies = 1) {
    const sorted = gaps.map((gap) => Math.asinh(gap / SCALE)).sort();
    const { least, most, width } = spreadOf(sorted, sorted.length / copies);
    this.#from = least - Math.max(1, 6 * width);
    const to = most + Math.max(1, 6 * width);
    this.#step = (to - this.#from) / (CELLS - 1);
    const counts = new Float64Array(CELLS);
    for (const y of sorted) {
      const at = (y - this.#from) / this.#step;
      const cell = Math.floor(at);
      counts[cell]! += 1 - (at - cell);
      if (cell + 1 < CELLS) counts[cell + 1]! += at - cell;
    }
    const mass = new Float64Array(CELLS);
    blur(counts, mass, width / this.#step, 1 - WIDE_SHARE);
    blur(counts, mass, (3 * width) / this.#step, WIDE_SHARE);
    const total = mass.reduce((sum, m) => sum + m, 0);
    const flat = TAIL / (to - this.#from);
    let below = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      const density = ((1 - TAIL) * mass[cell]!) / total / this.#step + flat;
      const share = density * this.#step;
      this.#log[cell] = Math.log(density) - logSlope(this.#from + cell * this.#step);
      this.#score[cell] = normalQuantile(Math.min(1 - 1e-5, Math.max(1e-5, below + share / 2)));
      below += share;
    }
    this.#outside = Math.log(flat) - 3;
  }

  /** Where a gap lies on the grid: for {@link logAt} and {@link scoreAt}. */
  position(gap: number): number {
    return (Math.asinh(gap / SCALE) - this.#from) / this.#step;
  }

  /** Log density of a gap, per µs. */
  log(gap: number): number {
    return this.logAt(this.position(gap));
  }

  /** Log density at a position, per µs. */
  logAt(position: number): number {
    if (!(position >= 0 && position < CELLS - 1)) {
      const beyond = (position < 0 ? -position : position - CELLS + 1) * this.#step;
      const y = this.#from + position * this.#step;
      return this.#outside - 2 * Math.min(10, beyond || 0) - logSlope(y || 0);
    }
    const cell = position | 0;
    const part = position - cell;
    return this.#log[cell]! * (1 - part) + this.#log[cell + 1]! * part;
  }

  /** Where a position lies among the examples, as the quantile of a standard normal. */
  scoreAt(position: number): number {
    if (!(position > 0)) return this.#score[0]!;
    if (position >= CELLS - 1) return this.#score[CELLS - 1]!;
    const cell = position | 0;
    const part = position - cell;
    return this.#score[cell]! * (1 - part) + this.#score[cell + 1]! * part;
  }
}
