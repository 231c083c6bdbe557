import type { TimingProblem } from './problem.js';

/** The calls of one span, sorted by type, then start: their places are the slots of a template. */
export type Bundle = number[];

/** Sorts calls into slots, in place. Bundles are short and nearly sorted: insertion beats a general sort. */
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

/** A bundle of a span: an example to learn from. */
export interface Example {
  readonly span: number;
  readonly bundle: Bundle;
  /** How many sampled states it stands for. */
  readonly weight: number;
}

/**
 * A number per type, random enough that two bundles with the same sum have the same count
 * of every type: additive hashing, modulo 2^30.
 */
export function typeKeys(types: number): Int32Array {
  let state = 0x9e3779b9;
  return Int32Array.from({ length: types }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) & KEY_MASK;
  });
}

/** Keys are whole numbers below 2^30: they need no memory of their own. */
export const KEY_MASK = 2 ** 30 - 1;
