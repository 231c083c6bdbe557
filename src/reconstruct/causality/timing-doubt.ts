import type { CandidateLists } from './candidates.js';

/** Where context settles fewer of the calls than this, its habits are learned from guesses. */
const LEAST_SETTLED = 0.2;
/** What timing alone may claim then. */
const MOST_CLAIMED = 0.85;
/** A candidate that context prefers does not stand on timing alone. */
const SUPPORTED = 0.5;

/**
 * Takes from what timing claims where it had little to learn from: where context settles
 * hardly any call, a queue or a hand-off that nobody recorded orders the calls, and delays
 * learned from guesses confirm themselves. Changes `found`.
 *
 * @param isOpen per client: 1 where context has not settled the call
 * @param context per entry of the lists: what context finds, 0..1
 */
export function doubtTiming(
  isOpen: Uint8Array,
  { offsets }: CandidateLists,
  context: Float64Array,
  found: Float64Array,
): void {
  const open = isOpen.reduce((sum, flag) => sum + flag, 0);
  if (1 - open / isOpen.length >= LEAST_SETTLED) return;
  for (let client = 0; client < isOpen.length; client++) {
    const [from, to] = [offsets[client]!, offsets[client + 1]!];
    for (let at = from; at < to; at++) {
      if (found[at]! <= MOST_CLAIMED || context[at]! >= SUPPORTED) continue;
      const lost = found[at]! - MOST_CLAIMED;
      for (let other = from; other < to; other++) found[other]! += lost / (to - from);
      found[at]! -= lost;
      break;
    }
  }
}
