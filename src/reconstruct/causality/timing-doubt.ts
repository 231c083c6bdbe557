import type { CandidateLists } from './candidates.js';
import { highest, SUPPORTED, type TimingFound } from './open-calls.js';

/** Where less of what timing claims is right, it is not to be believed against the odds. */
const LEAST_RIGHT = 0.97;
/** What timing may claim at most against another candidate that context is nearly sure of. */
const MOST_CLAIMED = 0.85;
/** From here on context is nearly sure. */
const NEARLY_SURE = 0.7;

/**
 * Takes from what timing claims by itself, without a witness for the candidate, where such claims
 * are known to be wrong often, or where witnesses speak for another. Changes `chance`.
 *
 * @param isOpen per client: 1 where context has not settled the call
 * @param context per entry of the lists: what context finds, 0..1
 */
export function doubtTiming(
  isOpen: Uint8Array,
  { offsets }: CandidateLists,
  context: Float64Array,
  { chance, shareRight }: TimingFound,
): void {
  for (let client = 0; client < isOpen.length; client++) {
    const [from, to] = [offsets[client]!, offsets[client + 1]!];
    const best = highest(chance, from, to);
    if (best === -1 || context[best]! >= SUPPORTED) continue;
    const isContradicted = context[highest(context, from, to)]! >= NEARLY_SURE;
    let most = shareRight < LEAST_RIGHT ? chance[best]! * shareRight : chance[best]!;
    if (isContradicted) most = Math.min(MOST_CLAIMED, most);
    const lost = chance[best]! - most;
    if (lost <= 0) continue;
    for (let other = from; other < to; other++) chance[other]! += lost / (to - from);
    chance[best]! -= lost;
  }
}
