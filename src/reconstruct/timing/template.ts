import type { Example } from './bundles.js';
import { GapDensity } from './density.js';
import { invert } from './normal.js';
import type { TimingProblem } from './problem.js';

/** Examples from which reference events are chosen; more change nothing. */
const MOST_EXAMPLES = 1200;
/** What a reference other than the start must gain per gap, nats: against choosing by chance. */
const REFERENCE_PENALTY = 0.02;
/** Observations from which gaps are held to be correlated. */
const LEAST_FOR_COPULA = 60;
const MOST_SLOTS_FOR_COPULA = 16;
const SHRINKAGE = 20;
const MOST_CORRELATION = 0.97;
const RIDGE = 0.02;

/** Events that a gap may be measured from. Slot k's start is 1 + 2k, its end 2 + 2k. */
const SPAN_START = 0;
const LATEST_END = -1;

/**
 * The habits of the spans of one route with the same calls: for each call, and for the
 * response, the event it follows and the density of the gap to it.
 */
export class Template {
  /** Slots in the order in which they usually begin. */
  readonly order: Int32Array;
  /** Per place in the order, and last for the response: the event its gap is measured from. */
  readonly #reference: Int32Array;
  readonly #densities: GapDensity[] = [];
  readonly #problem: TimingProblem;
  #copula: { readonly excess: Float64Array; readonly log: number } | undefined;
  readonly #gaps: Float64Array;
  readonly #scores: Float64Array;

  /**
   * @param examples spans with bundles of the same types
   * @param copies how many examples stand for one observation
   */
  constructor(problem: TimingProblem, examples: readonly Example[], copies: number) {
    this.#problem = problem;
    const slots = examples[0]!.bundle.length;
    this.#gaps = new Float64Array(slots + 1);
    this.#scores = new Float64Array(slots + 1);
    this.order = usualOrder(problem, examples, slots);
    this.#reference = new Int32Array(slots + 1);
    const stride = Math.ceil(examples.length / MOST_EXAMPLES);
    const sample = examples.filter((_, i) => i % stride === 0);
    for (let place = 0; place <= slots; place++) this.#chooseReference(sample, place);
    if (examples.length >= LEAST_FOR_COPULA * copies && slots < MOST_SLOTS_FOR_COPULA) {
      this.#learnCopula(examples, copies);
    }
  }

  /** When the event at a place happens: a call's start, or the span's end. */
  #moment({ span, bundle }: Example, place: number): number {
    const { callStart, spanEnd } = this.#problem;
    return place < bundle.length ? callStart[bundle[this.order[place]!]!]! : spanEnd[span]!;
  }

  #event(span: number, bundle: readonly number[], code: number, place: number): number {
    const { spanStart, callStart, callEnd } = this.#problem;
    if (code === SPAN_START) return spanStart[span]!;
    if (code !== LATEST_END) {
      const call = bundle[(code - 1) >> 1]!;
      return (code & 1) === 1 ? callStart[call]! : callEnd[call]!;
    }
    let latest = spanStart[span]!;
    for (let earlier = 0; earlier < place; earlier++) {
      const end = callEnd[bundle[this.order[earlier]!]!]!;
      if (end > latest) latest = end;
    }
    return latest;
  }

  /** Takes the event from which the gap varies least, in the sense of its entropy. */
  #chooseReference(sample: readonly Example[], place: number): void {
    const slots = this.order.length;
    const isResponse = place === slots;
    const codes = [SPAN_START];
    for (let earlier = 0; earlier < place; earlier++) {
      const slot = this.order[earlier]!;
      if (!isResponse) codes.push(1 + 2 * slot);
      codes.push(2 + 2 * slot);
    }
    if (place > 1) codes.push(LATEST_END);
    // With one call, the response follows its reply: nothing else can explain a link.
    const allowed = isResponse && slots === 1 ? [2 + 2 * this.order[0]!] : codes;
    let best = Number.NEGATIVE_INFINITY;
    for (const code of allowed) {
      const gaps = Float64Array.from(
        sample,
        (example) =>
          this.#moment(example, place) - this.#event(example.span, example.bundle, code, place),
      ).filter(Number.isFinite);
      if (gaps.length === 0) continue;
      const density = new GapDensity(gaps);
      let mean = code === SPAN_START ? 0 : -REFERENCE_PENALTY;
      for (const gap of gaps) mean += density.log(gap) / gaps.length;
      if (mean <= best) continue;
      best = mean;
      this.#reference[place] = code;
      this.#densities[place] = density;
    }
    this.#densities[place] ??= new GapDensity(Float64Array.of(0));
  }

  #measure(span: number, bundle: readonly number[]): void {
    const slots = this.order.length;
    const { callStart, spanEnd } = this.#problem;
    for (let place = 0; place <= slots; place++) {
      const at = place < slots ? callStart[bundle[this.order[place]!]!]! : spanEnd[span]!;
      this.#gaps[place] = at - this.#event(span, bundle, this.#reference[place]!, place);
    }
  }

  /** Gaussian copula: gaps of one span tend to be long together (a slow host, a long queue). */
  #learnCopula(examples: readonly Example[], copies: number): void {
    const size = this.order.length + 1;
    const sums = new Float64Array(size * size);
    for (const { span, bundle } of examples) {
      this.#score(span, bundle);
      for (let a = 0; a < size; a++) {
        for (let b = 0; b <= a; b++) sums[a * size + b]! += this.#scores[a]! * this.#scores[b]!;
      }
    }
    const shrink = 1 / (1 + (SHRINKAGE * copies) / examples.length);
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
    if (!(determinant > 1e-12)) return;
    for (let a = 0; a < size; a++) inverse[a * size + a]! -= 1;
    this.#copula = { excess: inverse, log: -0.5 * Math.log(determinant) };
  }

  #score(span: number, bundle: readonly number[]): void {
    this.#measure(span, bundle);
    for (let place = 0; place <= this.order.length; place++) {
      const density = this.#densities[place]!;
      this.#scores[place] = density.scoreAt(density.position(this.#gaps[place]!));
    }
  }

  /** Log density of a span's gaps with this bundle, per µs each. */
  log(span: number, bundle: readonly number[]): number {
    const size = this.order.length + 1;
    const scores = this.#scores;
    this.#measure(span, bundle);
    let sum = 0;
    for (let place = 0; place < size; place++) {
      const density = this.#densities[place]!;
      const position = density.position(this.#gaps[place]!);
      sum += density.logAt(position);
      if (this.#copula !== undefined) scores[place] = density.scoreAt(position);
    }
    if (this.#copula === undefined) return sum;
    const { excess, log } = this.#copula;
    let form = 0;
    for (let a = 0; a < size; a++) {
      let row = 0;
      for (let b = 0; b < size; b++) row += excess[a * size + b]! * scores[b]!;
      form += scores[a]! * row;
    }
    return sum + log - 0.5 * Math.max(-40, form);
  }

  /**
   * Log density of a call in one place, given the calls in the places before; undefined where
   * the event it follows is a call that is not placed yet.
   *
   * @param placed per slot: the call in it, -1 none
   */
  logOfPlace(span: number, placed: Int32Array, place: number, call: number): number | undefined {
    const { spanStart, spanEnd, callStart, callEnd } = this.#problem;
    const code = this.#reference[place]!;
    let from = spanStart[span]!;
    if (code > 0) {
      const other = placed[(code - 1) >> 1]!;
      if (other < 0) return undefined;
      from = (code & 1) === 1 ? callStart[other]! : callEnd[other]!;
    } else if (code === LATEST_END) {
      for (let earlier = 0; earlier < place; earlier++) {
        const other = placed[this.order[earlier]!]!;
        if (other >= 0 && callEnd[other]! > from) from = callEnd[other]!;
      }
    }
    const own = this.#densities[place]!.log(callStart[call]! - from);
    const isLast = place === this.order.length - 1 && this.#reference[place + 1] !== SPAN_START;
    if (!isLast) return own;
    return own + this.#densities[place + 1]!.log(spanEnd[span]! - callEnd[call]!);
  }
}

/** Slots by the median of their start after the span's. */
function usualOrder(
  problem: TimingProblem,
  examples: readonly Example[],
  slots: number,
): Int32Array {
  const medians = Array.from({ length: slots }, (_, slot) => {
    const starts = Float64Array.from(
      examples,
      ({ span, bundle }) => problem.callStart[bundle[slot]!]! - problem.spanStart[span]!,
    ).sort();
    return starts[starts.length >> 1]!;
  });
  return Int32Array.from(medians.keys()).sort((a, b) => medians[a]! - medians[b]! || a - b);
}
