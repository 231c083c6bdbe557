import type { TimingProblem } from './problem.js';

/**
 * Of log odds near zero this share is doubted, and less the further they are from it. Habits are
 * learned from the states that are counted, so what is nearly even looks clearer than it is.
 * Chosen on a hotel and a media load of TraceWeaver's data and two generated applications together:
 * links claimed at 0.86, 0.76, 0.66 and 0.56 were right in 0.71, 0.60, 0.58 and 0.53 of cases, those
 * claimed at 0.997 in 0.994. Applications that it was not chosen on: docs/causality.md.
 */
const DOUBT = 0.5;
/** Log odds at which half the doubt is left. */
const CLEAR = 3;

/** Spans of a kind after which half of what its habits say is believed: below a dozen there is no template. */
const EXPERIENCE = 12;

/** Per span: share of the log odds that habits learned from so many spans of its route deserve. */
function experience({ spanRoute }: TimingProblem): Float64Array {
  const spans = new Map<number, number>();
  for (const route of spanRoute) spans.set(route, (spans.get(route) ?? 0) + 1);
  return Float64Array.from(spanRoute, (route) => {
    const seen = spans.get(route)!;
    return seen / (seen + EXPERIENCE);
  });
}

/**
 * Takes back overconfidence, in place: the best candidate's log odds shrink, and the others, no
 * span among them, gain. No order changes, nor which links exceed one half.
 *
 * @param chance per entry of the problem's list: probability, 0..1
 */
export function calibrate(problem: TimingProblem, chance: Float64Array): void {
  const { offsets, list } = problem;
  const trust = experience(problem);
  for (let call = 0; call + 1 < offsets.length; call++) {
    const from = offsets[call]!;
    const to = offsets[call + 1]!;
    let first = from;
    for (let at = from; at < to; at++) if (chance[at]! > chance[first]!) first = at;
    const best = chance[first] ?? 0;
    if (best <= 0.5 || best >= 1) continue;
    const odds = Math.log(best / (1 - best));
    const known = odds * trust[list[first]!]!;
    const shrunk = known * (1 - DOUBT / (1 + (known / CLEAR) ** 2));
    const calibrated = 1 / (1 + Math.exp(-shrunk));
    const rest = (1 - calibrated) / (1 - best);
    for (let at = from; at < to; at++) {
      chance[at] = chance[at] === best ? calibrated : chance[at]! * rest;
    }
  }
}
