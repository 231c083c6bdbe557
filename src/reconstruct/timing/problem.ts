/**
 * The spans that one process answered and the calls it made, with nothing but their times
 * and kinds: which call belongs to which span? Times in µs, from any zero.
 */
export interface TimingProblem {
  readonly spanStart: Float64Array;
  /** Infinity where the response was never seen. */
  readonly spanEnd: Float64Array;
  /** Small numbers: spans of one route share their habits. */
  readonly spanRoute: Uint32Array;
  readonly callStart: Float64Array;
  /** Infinity where the reply was never seen. */
  readonly callEnd: Float64Array;
  /** Small numbers: calls of one type ask the same of the same callee. */
  readonly callType: Uint32Array;
  /** Candidates of call c are list[offsets[c] .. offsets[c + 1]]: numbers of spans. */
  readonly offsets: Uint32Array;
  readonly list: Uint32Array;
  /** Log weight that other evidence gives each entry of `list`, nats. */
  readonly prior: Float64Array;
  /** Per call: log weight of belonging to no span; -Infinity where that is ruled out. */
  readonly none: Float64Array;
  /** Times are whole multiples of this, µs; 0 where clocks are fine. */
  readonly tick: number;
}

/** No span. */
export const NONE = -1;
