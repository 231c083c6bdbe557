import { type Bundle, type Example, sortBundle } from './bundles.js';
import type { TimingModel } from './model.js';
import { NONE, type TimingProblem } from './problem.js';

/** An assignment of calls to spans, and how probable the model finds it. */
export class TimingState {
  readonly problem: TimingProblem;
  /** Per call: its span, NONE if none. */
  readonly parent: Int32Array;
  readonly bundles: Bundle[];
  /** Per span: log probability of its bundle. */
  readonly scores: Float64Array;
  #model: TimingModel | undefined;

  constructor(problem: TimingProblem) {
    this.problem = problem;
    this.parent = new Int32Array(problem.callStart.length).fill(NONE);
    this.bundles = Array.from({ length: problem.spanStart.length }, () => []);
    this.scores = new Float64Array(problem.spanStart.length);
  }

  get model(): TimingModel {
    if (this.#model === undefined) throw new Error('the state has no model yet');
    return this.#model;
  }

  /** Judges by another model from now on. */
  useModel(model: TimingModel): void {
    this.#model = model;
    for (let span = 0; span < this.bundles.length; span++) {
      this.scores[span] = model.score(span, this.bundles[span]!);
    }
  }

  /** Puts every call where `parent` says. */
  assign(parent: Int32Array): void {
    this.parent.set(parent);
    for (let span = 0; span < this.bundles.length; span++) this.bundles[span] = [];
    for (let call = 0; call < parent.length; call++) {
      if (parent[call] !== NONE) this.bundles[parent[call]!]!.push(call);
    }
    for (const bundle of this.bundles) sortBundle(this.problem, bundle);
  }

  /** Copies of all bundles, to learn from. */
  addExamples(to: Example[]): void {
    for (let span = 0; span < this.bundles.length; span++) {
      to.push({ span, bundle: this.bundles[span]!.slice() });
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
