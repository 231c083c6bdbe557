import type { Window } from '../contract.js';

/** How finely the edges of a stretch are searched. */
const BINS = 120;
/** Log likelihood ratio from which a stretch stands out: chance finds one less than once in 1000 recordings. */
export const MIN_RATIO = 15;
/** The share of bad requests must rise by this factor and by this much. */
const MIN_RISE = 2;
const MIN_EXTRA = 0.01;
/** A stretch of more than this share of the recording leaves nothing to compare with. */
const MAX_SHARE = 0.8;
/** Stretches looked for, one after another. */
const MAX_STRETCHES = 5;

function xLogX(count: number, of: number): number {
  return count === 0 ? 0 : count * Math.log(count / of);
}

/** Log likelihood of `bad` of `all` requests under their own rate. */
function logLikelihood(bad: number, all: number): number {
  return xLogX(bad, all) + xLogX(all - bad, all);
}

/** How much better two rates, inside and outside, explain the counts than one. */
export function likelihoodRatio(bad: number, all: number, restBad: number, rest: number): number {
  return (
    logLikelihood(bad, all) +
    logLikelihood(restBad, rest) -
    logLikelihood(bad + restBad, all + rest)
  );
}

interface Counts {
  readonly all: Float64Array;
  readonly bad: Float64Array;
  /** 1 where an earlier stretch lies: no other may include it. */
  readonly taken: Uint8Array;
}

function countBins(start: Float64Array, bad: Uint8Array, range: Window): Counts {
  const counts = {
    all: new Float64Array(BINS),
    bad: new Float64Array(BINS),
    taken: new Uint8Array(BINS),
  };
  const width = (range.toMs - range.fromMs) / BINS;
  for (let i = 0; i < start.length; i++) {
    const at = Math.floor((start[i]! - range.fromMs) / width);
    const bin = Math.min(BINS - 1, Math.max(0, at));
    counts.all[bin]!++;
    counts.bad[bin]! += bad[i]!;
  }
  return counts;
}

/** The most over-represented stretch of bins that are not taken; null if none stands out. */
function strongest({ all, bad, taken }: Counts): { from: number; to: number } | null {
  let total = 0;
  let totalBad = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (taken[bin] === 1) continue;
    total += all[bin]!;
    totalBad += bad[bin]!;
  }
  let best = MIN_RATIO;
  let found: { from: number; to: number } | null = null;
  for (let from = 0; from < BINS; from++) {
    let inside = 0;
    let insideBad = 0;
    for (let to = from; to < Math.min(BINS, from + BINS * MAX_SHARE) && taken[to] === 0; to++) {
      inside += all[to]!;
      insideBad += bad[to]!;
      const outside = total - inside;
      const outsideBad = totalBad - insideBad;
      if (inside === 0 || outside === 0) continue;
      const share = insideBad / inside;
      const rest = outsideBad / outside;
      if (share < rest * MIN_RISE || share - rest < MIN_EXTRA) continue;
      const ratio = likelihoodRatio(insideBad, inside, outsideBad, outside);
      if (ratio <= best) continue;
      best = ratio;
      found = { from, to: to + 1 };
    }
  }
  return found;
}

/**
 * The stretches of time in which bad requests are over-represented, strongest first: the
 * scan statistic for Bernoulli trials of Kulldorff (1997), over all windows of up to 80 % of
 * the recording, repeated on what the stretches found before leave over.
 *
 * @param start of each request, ms
 * @param bad per request: 1 if it failed or was slow
 */
export function findStretches(start: Float64Array, bad: Uint8Array, range: Window): Window[] {
  const width = (range.toMs - range.fromMs) / BINS;
  if (!(width > 0)) return [];
  const counts = countBins(start, bad, range);
  const stretches: Window[] = [];
  while (stretches.length < MAX_STRETCHES) {
    const found = strongest(counts);
    if (found === null) break;
    counts.taken.fill(1, found.from, found.to);
    stretches.push({
      fromMs: range.fromMs + found.from * width,
      toMs: range.fromMs + found.to * width,
    });
  }
  return stretches;
}
