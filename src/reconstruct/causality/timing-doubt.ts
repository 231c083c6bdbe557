import type { CandidateLists } from './candidates.js';

/** Where context settles fewer of the calls than this, its habits are learned from guesses. */
const LEAST_SETTLED = 0.2;
/** What timing alone may claim then, or against another candidate that context is nearly sure of. */
const MOST_CLAIMED = 0.85;
/** A candidate that context prefers does not stand on timing alone. */
const SUPPORTED = 0.5;
/** From here on context is nearly sure. */
const NEARLY_SURE = 0.7;

/** The entry of [from, to) with the most; -1 where there is none. */
function highest(values: Float64Array, from: number, to: number): number {
  let best = -1;
  for (let at = from; at < to; at++) if (best === -1 || values[at]! > values[best]!) best = at;
  return best;
}

/**
 * Takes from what timing claims where it had little to learn from, or contradicts witnesses.
 * Where context settles hardly any call, a queue or a hand-off that nobody recorded orders the
 * calls, and delays learned from guesses confirm themselves. Changes `found`.
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
  const isGuesswork = 1 - open / isOpen.length < LEAST_SETTLED;
  for (let client = 0; client < isOpen.length; client++) {
    const [from, to] = [offsets[client]!, offsets[client + 1]!];
    const best = highest(found, from, to);
    if (best === -1 || found[best]! <= MOST_CLAIMED || context[best]! >= SUPPORTED) continue;
    const isContradicted = context[highest(context, from, to)]! >= NEARLY_SURE;
    if (!isGuesswork && !isContradicted) continue;
    const lost = found[best]! - MOST_CLAIMED;
    for (let other = from; other < to; other++) found[other]! += lost / (to - from);
    found[best]! -= lost;
  }
}
