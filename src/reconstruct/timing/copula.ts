import { invert } from './normal.js';

/** Weight of "no correlation", in observations. */
const SHRINKAGE = 20;
const MOST_CORRELATION = 0.97;
const RIDGE = 0.02;
/** Nats per span from which the copula is worth its time. */
const LEAST_GAIN = 0.03;

/** Sums of products of normal scores: what a copula is learned from. */
export class ScoreProducts {
  readonly size: number;
  readonly sums: Float64Array;
  total = 0;

  constructor(size: number) {
    this.size = size;
    this.sums = new Float64Array(size * size);
  }

  add(scores: Float64Array, weight: number): void {
    for (let a = 0; a < this.size; a++) {
      for (let b = 0; b <= a; b++)
        this.sums[a * this.size + b]! += weight * scores[a]! * scores[b]!;
    }
    this.total += weight;
  }
}

/** A Gaussian copula: gaps of one span tend to be long together (a slow host, a long queue). */
export class Copula {
  readonly #size: number;
  readonly #excess: Float64Array;
  readonly #log: number;

  private constructor(size: number, excess: Float64Array, log: number) {
    this.#size = size;
    this.#excess = excess;
    this.#log = log;
  }

  /** @returns undefined where gaps are as good as independent */
  static learn({ size, sums }: ScoreProducts, observations: number): Copula | undefined {
    const shrink = observations / (observations + SHRINKAGE);
    const correlation = new Float64Array(size * size);
    for (let a = 0; a < size; a++) {
      correlation[a * size + a] = 1 + RIDGE;
      for (let b = 0; b < a; b++) {
        const norm = Math.sqrt(sums[a * size + a]! * sums[b * size + b]!) || 1;
        const value = (sums[a * size + b]! / norm) * shrink;
        const bounded = Math.max(-MOST_CORRELATION, Math.min(MOST_CORRELATION, value));
        correlation[a * size + b] = bounded;
        correlation[b * size + a] = bounded;
      }
    }
    const { inverse, determinant } = invert(correlation, size);
    const isUseful = determinant > 1e-12 && -0.5 * Math.log(determinant) > LEAST_GAIN;
    if (!isUseful) return undefined;
    for (let a = 0; a < size; a++) inverse[a * size + a]! -= 1;
    return new Copula(size, inverse, -0.5 * Math.log(determinant));
  }

  /** What it adds to the log density of independent gaps. @param scores normal scores */
  log(scores: Float64Array): number {
    const size = this.#size;
    const excess = this.#excess;
    let form = 0;
    for (let a = 0; a < size; a++) {
      let row = 0.5 * excess[a * size + a]! * scores[a]!;
      for (let b = 0; b < a; b++) row += excess[a * size + b]! * scores[b]!;
      form += scores[a]! * row;
    }
    return this.#log - Math.max(-20, form);
  }
}
