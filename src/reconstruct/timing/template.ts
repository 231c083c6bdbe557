import { positionOf } from './axis.js';
import type { Bundle, Example } from './bundles.js';
import { Copula, ScoreProducts } from './copula.js';
import { GapDensity } from './density.js';
import { GapHistogram } from './histogram.js';
import type { TimingProblem } from './problem.js';
import { arrivalAt, LATEST_END, momentOf, SPAN_START, type Structure } from './references.js';

/** Observations from which gaps are held to be correlated. */
const LEAST_FOR_COPULA = 60;
const MOST_SLOTS_FOR_COPULA = 16;
/** What a copula adds to gaps that fit each other is seldom more than this, nats. */
const MOST_OF_COPULA = 6;

/**
 * The habits of the spans of one route with the same calls: for each call, and for the
 * response, the event it follows and the density of the gap to it.
 */
export class Template {
  readonly structure: Structure;
  readonly #problem: TimingProblem;
  /** Per place. */
  readonly #densities: readonly GapDensity[];
  /** Per place: the most that the gaps from there on can have, in sum. */
  readonly #most: Float64Array;
  readonly #copula: Copula | undefined;
  readonly #scores: Float64Array;

  /**
   * @param examples spans with bundles of the same types
   * @param observations how many spans they stand for
   */
  constructor(
    problem: TimingProblem,
    structure: Structure,
    examples: readonly Example[],
    observations: number,
  ) {
    this.#problem = problem;
    this.structure = structure;
    const places = structure.reference.length;
    this.#scores = new Float64Array(places);
    const gaps = Array.from({ length: places }, () => new GapHistogram(problem.tick));
    for (const example of examples) this.#count(example, gaps);
    this.#densities = gaps.map((own) => densityOf(own, observations));
    this.#most = new Float64Array(places + 1);
    for (let place = places - 1; place >= 0; place--) {
      this.#most[place] = this.#most[place + 1]! + this.#densities[place]!.most;
    }
    if (observations >= LEAST_FOR_COPULA && places <= MOST_SLOTS_FOR_COPULA) {
      const products = new ScoreProducts(places);
      for (const { span, bundle, weight } of examples) {
        this.#logOfGaps(span, bundle, true, Number.NEGATIVE_INFINITY);
        products.add(this.#scores, weight);
      }
      this.#copula = Copula.learn(products, observations);
    }
  }

  #count(example: Example, gaps: readonly GapHistogram[]): void {
    const { order, reference } = this.structure;
    for (let place = 0; place < reference.length; place++) {
      const from = momentOf(this.#problem, order, example, reference[place]!, place);
      const at = arrivalAt(this.#problem, order, example, place);
      gaps[place]!.add(at - from, example.weight);
    }
  }

  /**
   * Log density of the gaps as if they were independent; -Infinity as soon as it must be below `least`.
   *
   * @param scored also sets their normal scores
   */
  #logOfGaps(span: number, bundle: Bundle, scored: boolean, least: number): number {
    const { spanStart, spanEnd, callStart, callEnd } = this.#problem;
    const { order, reference } = this.structure;
    const densities = this.#densities;
    const most = this.#most;
    const slots = order.length;
    const begin = spanStart[span]!;
    let latest = begin;
    let sum = 0;
    for (let place = 0; place <= slots; place++) {
      const code = reference[place]!;
      let from = begin;
      if (code > 0) {
        const other = bundle[(code - 1) >> 1]!;
        from = (code & 1) === 1 ? callStart[other]! : callEnd[other]!;
      } else if (code === LATEST_END) from = latest;
      let at = spanEnd[span]!;
      if (place < slots) {
        const call = bundle[order[place]!]!;
        at = callStart[call]!;
        const end = callEnd[call]!;
        if (end > latest) latest = end;
      }
      const density = densities[place]!;
      const position = positionOf(at - from);
      sum += density.logAt(position);
      if (sum + most[place + 1]! < least) return Number.NEGATIVE_INFINITY;
      if (scored) this.#scores[place] = density.scoreAt(position);
    }
    return sum;
  }

  /** The most that {@link log} is likely to give. */
  get most(): number {
    return this.#most[0]! + (this.#copula === undefined ? 0 : MOST_OF_COPULA);
  }

  /**
   * Log density of a span's gaps with this bundle, per µs each.
   *
   * @param least where it is sure to be below this, -Infinity may be returned instead
   */
  log(span: number, bundle: Bundle, least: number): number {
    const copula = this.#copula;
    if (copula === undefined) return this.#logOfGaps(span, bundle, false, least);
    const independent = this.#logOfGaps(span, bundle, true, least - MOST_OF_COPULA);
    return independent === Number.NEGATIVE_INFINITY
      ? independent
      : independent + copula.log(this.#scores);
  }

  /**
   * Log density of a call in one place, given the calls in the places before; undefined where
   * the event it follows is a call that is not placed yet.
   *
   * @param placed per slot: the call in it, -1 none
   */
  logOfPlace(span: number, placed: Int32Array, place: number, call: number): number | undefined {
    const { spanStart, spanEnd, callStart, callEnd } = this.#problem;
    const { order, reference } = this.structure;
    const densities = this.#densities;
    const code = reference[place]!;
    let from = spanStart[span]!;
    if (code > 0) {
      const other = placed[(code - 1) >> 1]!;
      if (other < 0) return undefined;
      from = (code & 1) === 1 ? callStart[other]! : callEnd[other]!;
    } else if (code === LATEST_END) {
      for (let earlier = 0; earlier < place; earlier++) {
        const other = placed[order[earlier]!]!;
        if (other >= 0 && callEnd[other]! > from) from = callEnd[other]!;
      }
    }
    const own = densities[place]!.log(callStart[call]! - from);
    const isLast = place === order.length - 1 && reference[place + 1] !== SPAN_START;
    if (!isLast) return own;
    return own + densities[place + 1]!.log(spanEnd[span]! - callEnd[call]!);
  }
}

/** The density of gaps; where none could be measured, of the gap zero. */
function densityOf(gaps: GapHistogram, observations: number): GapDensity {
  if (gaps.total === 0) gaps.add(0, 1);
  return new GapDensity(gaps, observations);
}
