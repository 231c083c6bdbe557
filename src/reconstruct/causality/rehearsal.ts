import { listCandidates } from './candidates.js';
import { VerdictCode } from './decide.js';
import { type OpenInput, solveOpenCalls } from './open-calls.js';

/** Settled calls that are put back in doubt: at most this share of them, and as many as this. */
const MOST_SHARE = 0.2;
const MOST_HELD = 300;
/** With fewer nothing is learned. */
const LEAST_HELD = 20;
/** And with fewer claims there is nothing to lose. */
const LEAST_CLAIMS = 5;
/** Probabilities are counted in states of which there are some dozens: what was never seen shares this. */
const UNSEEN = 0.01;
/** How far timing may be trusted: powers of what it adds that are tried. */
const POWERS = Array.from({ length: 20 }, (_, i) => 1 - i / 20);

/** Settled calls with rivals, spread evenly. */
function chooseHeld({ candidates, decisions, isOpen }: OpenInput): number[] {
  const settled: number[] = [];
  for (let client = 0; client < isOpen.length; client++) {
    const verdict = decisions.verdict[client];
    const isLinked = verdict === VerdictCode.certain || verdict === VerdictCode.probable;
    if (isOpen[client] === 1 || !isLinked || candidates.open[client]! < 2) continue;
    settled.push(client);
  }
  const wanted = Math.min(MOST_HELD, Math.floor(settled.length * MOST_SHARE));
  if (wanted < LEAST_HELD) return [];
  return Array.from(
    { length: wanted },
    (_, i) => settled[Math.floor(((i + 0.5) * settled.length) / wanted)]!,
  );
}

/**
 * How much of what timing says holds, seen on calls whose request is known: some of those are put
 * back in doubt with nothing said for any of their candidates, and judged by timing together with
 * the calls that are in doubt. Of the powers s in (0, 1] to which its likelihood ratios may be
 * raised, the one that makes the known requests most probable (a power posterior; 1 is what it
 * claims, towards 0 it says nothing).
 *
 * @param found per entry of the lists: what timing found for the calls in doubt
 * @param least probability from which on a link is claimed
 */
export function rehearse(input: OpenInput, found: Float64Array, least: number): number {
  let claims = 0;
  for (const chance of found) if (chance >= least) claims++;
  const held = claims < LEAST_CLAIMS ? [] : chooseHeld(input);
  if (held.length === 0) return 1;
  const { index, candidates, decisions } = input;
  const isOpen = input.isOpen.slice();
  for (const client of held) isOpen[client] = 1;
  const lists = listCandidates(index, candidates, isOpen);
  const chances = new Float64Array(lists.list.length);
  for (let client = 0; client < isOpen.length; client++) {
    const [from, to] = [lists.offsets[client]!, lists.offsets[client + 1]!];
    const own = input.lists.offsets[client]!;
    for (let at = from; at < to; at++) {
      chances[at] = input.isOpen[client] === 1 ? input.chances[own + at - from]! : 1 / (to - from);
    }
  }
  const { chance } = solveOpenCalls({ ...input, isOpen, lists, chances });
  let best = 1;
  let most = Number.NEGATIVE_INFINITY;
  for (const power of POWERS) {
    let sum = 0;
    for (const client of held) {
      const [from, to] = [lists.offsets[client]!, lists.offsets[client + 1]!];
      const least = UNSEEN / (to - from);
      let all = 0;
      let own = 0;
      for (let at = from; at < to; at++) {
        const value = Math.max(least, chance[at]!) ** power;
        all += value;
        if (lists.list[at] === decisions.best(client)) own = value;
      }
      sum += Math.log(own / all);
    }
    if (sum <= most) continue;
    most = sum;
    best = power;
  }
  return best;
}

/** Raises what timing adds to what context says to a power. Changes `chance`. */
export function temper(
  { isOpen, lists, chances }: OpenInput,
  chance: Float64Array,
  power: number,
): void {
  if (power === 1) return;
  for (let client = 0; client < isOpen.length; client++) {
    const [from, to] = [lists.offsets[client]!, lists.offsets[client + 1]!];
    const least = UNSEEN / (to - from);
    let before = 0;
    let after = 0;
    for (let at = from; at < to; at++) {
      before += chance[at]!;
      const context = Math.max(least, chances[at]!);
      chance[at] = context * (Math.max(least, chance[at]!) / context) ** power;
      after += chance[at]!;
    }
    // What belongs to no request keeps its share.
    for (let at = from; at < to; at++) chance[at]! *= before / after;
  }
}
