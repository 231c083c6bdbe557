import type { TimingProblem } from '../timing/problem.js';
import { solveTiming } from '../timing/solve.js';

/** Decoys are moved by this many times the median duration of a request. */
const DURATIONS = 4;
/** Fewer claims than this on the true times cannot be held against decoys. */
const LEAST_CLAIMS = 5;
/** Weight of "as many claims on decoys as on true times" in decoys. */
const PRIOR_COUNT = 1;

function medianDuration({ spanStart, spanEnd }: TimingProblem): number {
  const durations = spanEnd.map((end, span) => end - spanStart[span]!).filter(Number.isFinite);
  durations.sort();
  return durations[durations.length >> 1] ?? 0;
}

/** Spans by start, and per call those that were open then: offsets and list, as the problem has them. */
function openSpans(
  { spanStart, spanEnd }: TimingProblem,
  callStart: Float64Array,
  fixed: (call: number) => number | undefined,
): { offsets: Uint32Array; list: Uint32Array } {
  const offsets = new Uint32Array(callStart.length + 1);
  const list: number[] = [];
  const order = Uint32Array.from(callStart.keys()).sort((a, b) => callStart[a]! - callStart[b]!);
  const spans = Uint32Array.from(spanStart.keys()).sort((a, b) => spanStart[a]! - spanStart[b]!);
  const lists: (number[] | undefined)[] = new Array(callStart.length);
  let active: number[] = [];
  let next = 0;
  for (const call of order) {
    const at = callStart[call]!;
    while (next < spans.length && spanStart[spans[next]!]! <= at) active.push(spans[next++]!);
    const own = fixed(call);
    if (own !== undefined) {
      lists[call] = [own];
      continue;
    }
    active = active.filter((span) => spanEnd[span]! >= at);
    lists[call] = active.slice().sort((a, b) => a - b);
  }
  for (let call = 0; call < callStart.length; call++) {
    for (const span of lists[call]!) list.push(span);
    offsets[call + 1] = list.length;
  }
  return { offsets, list: Uint32Array.from(list) };
}

/**
 * The same problem with all calls in doubt moved in time, so that none of them belongs to any of
 * the spans that are open then: whatever is claimed of them is wrong.
 */
function withDecoys(problem: TimingProblem, isOpen: Uint8Array): TimingProblem {
  const { callStart, callEnd, offsets, list } = problem;
  const first = callStart.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = callStart.reduce((most, at) => Math.max(most, at), Number.NEGATIVE_INFINITY);
  const length = Math.max(1, last - first);
  const shift = Math.min(DURATIONS * medianDuration(problem), length / 2);
  const moved = callStart.map((at, call) =>
    isOpen[call] === 1 ? first + ((at - first + shift) % length) : at,
  );
  const fixed = (call: number) => (isOpen[call] === 1 ? undefined : list[offsets[call]!]);
  const candidates = openSpans(problem, moved, fixed);
  return {
    ...problem,
    callStart: moved,
    callEnd: callEnd.map((at, call) => at - callStart[call]! + moved[call]!),
    ...candidates,
    prior: new Float64Array(candidates.list.length),
  };
}

/** How many calls have a candidate with at least this probability. */
function countClaims(
  offsets: Uint32Array,
  chance: Float64Array,
  isMeant: Uint8Array,
  least: number,
): { claims: number; calls: number } {
  let claims = 0;
  let calls = 0;
  for (let call = 0; call + 1 < offsets.length; call++) {
    if (isMeant[call] === 0) continue;
    calls++;
    for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
      if (chance[at]! < least) continue;
      claims++;
      break;
    }
  }
  return { claims, calls };
}

/**
 * How much of what timing claims by itself is right. Habits are learned from the very links that
 * they are to judge, and where delays vary much, some sharing out of the calls always looks
 * regular. So the same calls are judged once more at times at which none of them can belong
 * anywhere (decoys; Elias and Gygi, Nature Methods 2007): claims about them are false, and as many
 * of the claims at the true times are taken to be.
 *
 * @param isOpen per call: 1 where it is in doubt
 * @param isMeant per call: 1 where nothing but timing speaks for its most probable candidate
 * @param least probability from which on a link is claimed
 * @returns share of the claims that is right, 0..1
 */
export function shareRight(
  problem: TimingProblem,
  chance: Float64Array,
  isOpen: Uint8Array,
  isMeant: Uint8Array,
  least: number,
): number {
  const real = countClaims(problem.offsets, chance, isMeant, least);
  if (real.claims < LEAST_CLAIMS) return 1;
  const decoys = withDecoys(problem, isOpen);
  const none = countClaims(decoys.offsets, solveTiming(decoys), isOpen, least);
  const falseRate = (none.claims + PRIOR_COUNT * 0.5) / (none.calls + PRIOR_COUNT);
  return Math.max(0, 1 - (falseRate * real.calls) / real.claims);
}
