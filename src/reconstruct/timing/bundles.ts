import type { TimingProblem } from './problem.js';

/** The calls of one span, sorted by type, then start: their places are the slots of a template. */
export type Bundle = number[];

/** A bundle of a span: an example to learn from. */
export interface Example {
  readonly span: number;
  readonly bundle: Bundle;
}

/** Sorts calls into slots, in place. Bundles are short: insertion beats a general sort. */
export function sortBundle(problem: TimingProblem, bundle: Bundle): Bundle {
  const { callType, callStart } = problem;
  for (let i = 1; i < bundle.length; i++) {
    const call = bundle[i]!;
    const type = callType[call]!;
    const start = callStart[call]!;
    let at = i - 1;
    while (at >= 0) {
      const other = bundle[at]!;
      const otherType = callType[other]!;
      if (otherType < type) break;
      if (otherType === type) {
        const otherStart = callStart[other]!;
        if (otherStart < start || (otherStart === start && other < call)) break;
      }
      bundle[at + 1] = other;
      at--;
    }
    bundle[at + 1] = call;
  }
  return bundle;
}

/**
 * A number per type, random enough that two bundles with the same sum have the same count
 * of every type: additive hashing. Sums of up to 8192 calls are exact.
 */
export function typeKeys(types: number): Float64Array {
  let state = 0x9e3779b9;
  return Float64Array.from({ length: types }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5) >>> 0;
    const low = state;
    state = (Math.imul(state ^ (state >>> 13), 0xc2b2ae35) + 0x6d2b79f5) >>> 0;
    return (state & 0xff) * 2 ** 32 + low;
  });
}
