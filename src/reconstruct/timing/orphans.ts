import { NONE, type TimingProblem } from './problem.js';

/** What was supposed before counts as much as this many calls. */
const SUPPOSED = 10;
/** No type is held to have more orphans than this, 0..1. */
const MOST = 0.8;

const logOdds = (share: number) => Math.log(share / (1 - share));

/** Calls of one type of which it is open whether they belong to any span. */
interface Type {
  /** Calls of the type per µs, as if they came at random. */
  readonly rate: number;
  readonly calls: number[];
  /** Share that was supposed to belong to none. */
  readonly supposed: number;
}

/**
 * How many calls belong to no span of the log, per type of call: because the log lost their
 * spans, or because nobody asked for them. What is supposed at first is corrected by how many are
 * found to have none, as habits are learned (empirical Bayes).
 */
export class Orphans {
  readonly #problem: TimingProblem;
  readonly #types: Type[] = [];

  constructor(problem: TimingProblem) {
    this.#problem = problem;
    const { callType, callStart, none } = problem;
    const total: number[] = [];
    const open: number[][] = [];
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (let call = 0; call < callType.length; call++) {
      const type = callType[call]!;
      total[type] = (total[type] ?? 0) + 1;
      first = Math.min(first, callStart[call]!);
      last = Math.max(last, callStart[call]!);
      if (none[call]! === Number.NEGATIVE_INFINITY) continue;
      open[type] ??= [];
      open[type].push(call);
    }
    for (const [type, calls] of open.entries()) {
      if (calls === undefined) continue;
      const rate = total[type]! / Math.max(1, last - first);
      const sum = calls.reduce((all, call) => all + Math.exp(none[call]!) / rate, 0);
      this.#types[type] = { rate, calls, supposed: Math.min(MOST, sum / calls.length) };
    }
  }

  /**
   * @param states sampled assignments: per call its span, NONE if none
   * @param out per call: log weight of belonging to no span; changed
   */
  learn(states: readonly Int32Array[], out: Float64Array): void {
    const { none } = this.#problem;
    for (const type of this.#types) {
      if (type === undefined) continue;
      const { calls, supposed } = type;
      let found = 0;
      for (const parent of states) for (const call of calls) if (parent[call] === NONE) found++;
      const counted = found / states.length + SUPPOSED * supposed;
      const share = Math.min(MOST, counted / (calls.length + SUPPOSED));
      const more = logOdds(share) - logOdds(supposed);
      for (const call of calls) out[call] = none[call]! + more;
    }
  }
}
