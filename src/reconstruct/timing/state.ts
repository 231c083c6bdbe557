import { type Bundle, type Example, sortBundle } from './bundles.js';
import type { TimingModel } from './model.js';
import type { OrderPrior } from './order-prior.js';
import { NONE, type TimingProblem } from './problem.js';

/** An assignment of calls to spans, and how probable the model finds it. */
export class TimingState {
  readonly problem: TimingProblem;
  /** Per call: its span, NONE if none. */
  readonly parent: Int32Array;
  /** Per call: index in the problem's list of its span, -1 if none. */
  readonly entry: Int32Array;
  readonly bundles: Bundle[];
  /** Per span: log probability of its bundle. */
  readonly scores: Float64Array;
  #model: TimingModel | undefined;
  #order: OrderPrior | undefined;

  constructor(problem: TimingProblem) {
    this.problem = problem;
    this.parent = new Int32Array(problem.callStart.length).fill(NONE);
    this.entry = new Int32Array(problem.callStart.length).fill(-1);
    this.bundles = Array.from({ length: problem.spanStart.length }, () => []);
    this.scores = new Float64Array(problem.spanStart.length);
  }

  get model(): TimingModel {
    if (this.#model === undefined) throw new Error('the state has no model yet');
    return this.#model;
  }

  /** Judges by another model from now on. */
  useModel(model: TimingModel, order?: OrderPrior): void {
    this.#model = model;
    this.#order = order;
    for (let span = 0; span < this.bundles.length; span++) {
      this.scores[span] = model.score(span, this.bundles[span]!);
    }
  }

  /** Whether the order of calls says anything. */
  get hasOrder(): boolean {
    return this.#order !== undefined;
  }

  /** What the order of calls adds to the log probability when two spans (-1: none) get other calls. */
  orderGain(a: number, toA: Bundle, b: number, toB: Bundle): number {
    return this.#order === undefined ? 0 : this.#order.gain(a, toA, b, toB);
  }

  /** Puts every call where `parent` says. */
  assign(parent: Int32Array): void {
    for (const bundle of this.bundles) bundle.length = 0;
    for (let call = 0; call < parent.length; call++) {
      const span = parent[call]!;
      this.parent[call] = span;
      this.entry[call] = span === NONE ? -1 : this.entryOf(call, span);
      if (span !== NONE) this.bundles[span]!.push(call);
    }
    for (const bundle of this.bundles) sortBundle(this.problem, bundle);
  }

  /** Gives a span other calls. @param bundle in order of slots; copied */
  replace(span: number, bundle: Bundle, score: number): void {
    const own = this.bundles[span]!;
    if (own.length > bundle.length) own.length = bundle.length;
    for (let i = 0; i < bundle.length; i++) {
      const call = bundle[i]!;
      own[i] = call;
      if (this.parent[call] === span) continue;
      this.parent[call] = span;
      this.entry[call] = this.entryOf(call, span);
    }
    this.scores[span] = score;
    this.#order?.replace(span, own);
  }

  /** Bundles of the spans that `isWanted` marks, to learn from. */
  addExamples(to: Example[], isWanted: (span: number) => boolean, weight: number): void {
    for (let span = 0; span < this.bundles.length; span++) {
      if (isWanted(span)) to.push({ span, bundle: this.bundles[span]!.slice(), weight });
    }
  }

  /** Index in the problem's list of `span` as a candidate of `call`; -1 if it is none. */
  entryOf(call: number, span: number): number {
    const { offsets, list } = this.problem;
    let low = offsets[call]!;
    let high = offsets[call + 1]! - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = list[middle]!;
      if (found === span) return middle;
      if (found < span) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
