import type { CandidateLists, Candidates } from './candidates.js';
import type { Decisions } from './decide.js';
import type { Kinds } from './kinds.js';

/** Calls beyond doubt that timing is asked about all the same. */
const MOST_HIDDEN = 400;
const BEYOND_DOUBT = 0.99;
/** Answers that are as good as a link. */
const ANSWERED = 0.9;
/** Before anything is checked, timing is believed this much, with the weight of so many answers. */
const PRIOR_MEAN = 0.9;
const PRIOR_COUNT = 10;
/** A kind of call is judged by its own answers from this many on, else by all. */
const LEAST_ANSWERS = 20;
/** A candidate that context prefers does not stand on timing alone. */
const SUPPORTED = 0.5;

/**
 * Chooses calls whose parent is beyond doubt, all calls of every so many requests: timing is
 * asked about them without being told, and its answers show how far it can be believed here.
 *
 * @returns per client: 1 where chosen
 */
export function hideKnownCalls(decisions: Decisions, candidates: Candidates): Uint8Array {
  const isKnown = (client: number) =>
    decisions.bestConfidence(client) >= BEYOND_DOUBT && candidates.open[client]! > 1;
  let known = 0;
  for (let client = 0; client < decisions.proved.length; client++) if (isKnown(client)) known++;
  // At most a tenth, so that enough is left to learn from.
  const stride = Math.max(10, Math.ceil(known / MOST_HIDDEN));
  return decisions.proved.map((_, client) =>
    isKnown(client) && decisions.best(client) % stride === 0 ? 1 : 0,
  );
}

/** How often timing was right about hidden calls, by kind of call. */
class Marksheet {
  private readonly right: Float64Array;
  private readonly total: Float64Array;
  private allRight = 0;
  private all = 0;

  constructor(kinds: number) {
    this.right = new Float64Array(kinds);
    this.total = new Float64Array(kinds);
  }

  add(kind: number, isRight: boolean): void {
    this.total[kind]!++;
    this.all++;
    if (!isRight) return;
    this.right[kind]!++;
    this.allRight++;
  }

  trust(kind: number): number {
    const isEnough = this.total[kind]! >= LEAST_ANSWERS;
    const right = isEnough ? this.right[kind]! : this.allRight;
    const total = isEnough ? this.total[kind]! : this.all;
    return (right + PRIOR_MEAN * PRIOR_COUNT) / (total + PRIOR_COUNT);
  }
}

/** Entry of the most probable candidate. */
function bestEntry(found: Float64Array, from: number, to: number): number {
  let best = from;
  for (let at = from + 1; at < to; at++) if (found[at]! > found[best]!) best = at;
  return best;
}

/**
 * Believes timing as far as it was right about the hidden calls. Changes `found`.
 *
 * @param isHidden per client: 1 where the parent was known and not told
 * @param context per entry of the lists: what context finds, 0..1
 */
export function applySelfCheck(
  decisions: Decisions,
  calls: Kinds,
  { offsets, list }: CandidateLists,
  isHidden: Uint8Array,
  context: Float64Array,
  found: Float64Array,
): void {
  const sheet = new Marksheet(calls.count);
  const entries = (client: number) => [offsets[client]!, offsets[client + 1]!] as const;
  for (let client = 0; client < isHidden.length; client++) {
    const [from, to] = entries(client);
    if (isHidden[client] === 0 || from === to) continue;
    const best = bestEntry(found, from, to);
    if (found[best]! < ANSWERED) continue;
    sheet.add(calls.of[client]!, list[best] === decisions.best(client));
  }
  for (let client = 0; client < isHidden.length; client++) {
    const [from, to] = entries(client);
    if (isHidden[client] === 1 || from === to) continue;
    const best = bestEntry(found, from, to);
    if (context[best]! >= SUPPORTED) continue;
    const trust = sheet.trust(calls.of[client]!);
    const lost = found[best]! * (1 - trust);
    found[best]! -= lost;
    // What is taken from the favourite goes to its rivals, none of them named.
    for (let at = from; at < to; at++) if (at !== best) found[at]! += lost / (to - from);
  }
}
