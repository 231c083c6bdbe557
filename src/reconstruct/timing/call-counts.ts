import type { Bundle, Example } from './bundles.js';
import type { TimingProblem } from './problem.js';

/** Weight of "half as often per call more", in spans. */
const PRIOR_COUNT = 0.5;
/** What each call beyond the most that was seen costs, nats. */
const UNSEEN_CALL = 2;

/**
 * How many calls of each type the spans of a route have, as if the types did not know of each other: what a
 * combination of calls that was seldom seen is judged by. Repeated and skipped calls make many.
 */
export class CallCounts {
  readonly #problem: TimingProblem;
  /** Per type: log probability of 0, 1, 2... calls, up to the most that were seen. */
  readonly #logs: readonly Float64Array[];
  /** Log probability of no call at all. */
  readonly #none: number;

  /**
   * @param types how many types of calls there are
   * @param spans how many spans the examples stand for
   * @param copies how many states the examples' weights count
   */
  constructor(
    problem: TimingProblem,
    examples: readonly Example[],
    types: number,
    spans: number,
    copies: number,
  ) {
    this.#problem = problem;
    const { callType } = problem;
    const counts = Array.from({ length: types }, () => [spans * copies]);
    for (const { bundle, weight } of examples) {
      for (let i = 0; i < bundle.length; ) {
        const type = callType[bundle[i]!]!;
        const from = i;
        while (i < bundle.length && callType[bundle[i]!] === type) i++;
        const own = counts[type]!;
        own[0]! -= weight;
        while (own.length <= i - from) own.push(0);
        own[i - from]! += weight;
      }
    }
    this.#logs = counts.map((own) =>
      Float64Array.from(own, (count, calls) =>
        Math.log((count / copies + PRIOR_COUNT * 2 ** -(calls + 1)) / (spans + PRIOR_COUNT)),
      ),
    );
    this.#none = this.#logs.reduce((sum, own) => sum + own[0]!, 0);
  }

  /** Log probability of just so many calls of each type. @param bundle sorted */
  log(bundle: Bundle): number {
    const { callType } = this.#problem;
    let sum = this.#none;
    for (let i = 0; i < bundle.length; ) {
      const type = callType[bundle[i]!]!;
      const from = i;
      while (i < bundle.length && callType[bundle[i]!] === type) i++;
      const own = this.#logs[type]!;
      const most = own.length - 1;
      const beyond = Math.max(0, i - from - most);
      sum += own[Math.min(most, i - from)]! - beyond * UNSEEN_CALL - own[0]!;
    }
    return sum;
  }
}
