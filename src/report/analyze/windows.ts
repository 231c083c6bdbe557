import type { Window, Windows } from '../contract.js';
import type { Requests } from './requests.js';

/** How finely the incident's edges are searched. */
const BINS = 120;
/** Log likelihood ratio from which a window stands out: chance finds one less than once in 1000 recordings. */
const MIN_RATIO = 15;
/** The share of bad requests must rise by this factor and by this much. */
const MIN_RISE = 2;
const MIN_EXTRA = 0.01;
/** An incident of more than this share of the recording leaves nothing to compare with. */
const MAX_SHARE = 0.8;
/** Requests that a baseline needs. */
const MIN_BASELINE = 30;

function xLogX(count: number, of: number): number {
  return count === 0 ? 0 : count * Math.log(count / of);
}

/** Log likelihood of `bad` of `all` requests under their own rate. */
function logLikelihood(bad: number, all: number): number {
  return xLogX(bad, all) + xLogX(all - bad, all);
}

/**
 * The window in which bad requests are most over-represented: the scan statistic for
 * Bernoulli trials of Kulldorff (1997), over all windows of up to 80 % of the recording.
 *
 * @param bad per request: 1 if it failed or was slow
 * @returns null if no window stands out
 */
export function findIncident(
  requests: Pick<Requests, 'rows' | 'start'>,
  bad: Uint8Array,
  range: Window,
): Window | null {
  const width = (range.toMs - range.fromMs) / BINS;
  if (!(width > 0)) return null;
  const all = new Float64Array(BINS + 1);
  const bads = new Float64Array(BINS + 1);
  for (let i = 0; i < requests.rows; i++) {
    const bin = Math.floor((requests.start[i]! - range.fromMs) / width);
    const at = Math.min(BINS - 1, Math.max(0, bin)) + 1;
    all[at]!++;
    bads[at]! += bad[i]!;
  }
  for (let bin = 1; bin <= BINS; bin++) {
    all[bin]! += all[bin - 1]!;
    bads[bin]! += bads[bin - 1]!;
  }
  const total = all[BINS]!;
  const totalBad = bads[BINS]!;
  const whole = logLikelihood(totalBad, total);
  let best = MIN_RATIO;
  let found: Window | null = null;
  for (let from = 0; from < BINS; from++) {
    for (let to = from + 1; to <= Math.min(BINS, from + BINS * MAX_SHARE); to++) {
      const inside = all[to]! - all[from]!;
      const insideBad = bads[to]! - bads[from]!;
      const outside = total - inside;
      if (inside === 0 || outside === 0) continue;
      const share = insideBad / inside;
      const rest = (totalBad - insideBad) / outside;
      if (share < rest * MIN_RISE || share - rest < MIN_EXTRA) continue;
      const ratio =
        logLikelihood(insideBad, inside) + logLikelihood(totalBad - insideBad, outside) - whole;
      if (ratio <= best) continue;
      best = ratio;
      found = { fromMs: range.fromMs + from * width, toMs: range.fromMs + to * width };
    }
  }
  return found;
}

function countIn(requests: Pick<Requests, 'rows' | 'start'>, windows: readonly Window[]): number {
  let count = 0;
  for (let i = 0; i < requests.rows; i++) {
    if (isIn(windows, requests.start[i]!)) count++;
  }
  return count;
}

/** Whether a moment lies in one of the windows. */
export function isIn(windows: readonly Window[], moment: number): boolean {
  return windows.some(({ fromMs, toMs }) => moment >= fromMs && moment < toMs);
}

/** Total length of windows, ms. */
export function lengthOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

function findBaseline(
  requests: Requests,
  incident: Window,
  range: Window,
): Pick<Windows, 'baseline' | 'baselineSource'> {
  const before = { fromMs: range.fromMs, toMs: incident.fromMs };
  if (countIn(requests, [before]) >= MIN_BASELINE) {
    return { baseline: [before], baselineSource: 'before' };
  }
  const around = [before, { fromMs: incident.toMs, toMs: range.toMs }].filter(
    ({ fromMs, toMs }) => toMs > fromMs,
  );
  return countIn(requests, around) >= MIN_BASELINE
    ? { baseline: around, baselineSource: 'around' }
    : { baseline: [], baselineSource: 'none' };
}

/**
 * Decides what is compared with what.
 *
 * @param given what the user asked for; the rest is found
 */
export function chooseWindows(
  requests: Requests,
  range: Window,
  given: { readonly incident?: Window; readonly baseline?: Window },
): Windows {
  const bad = Uint8Array.from(requests.failed, (failed, i) => failed | requests.slow[i]!);
  const found = given.incident ?? findIncident(requests, bad, range);
  if (found === null) {
    return { incident: null, incidentSource: 'none', baseline: [], baselineSource: 'none' };
  }
  const source = given.incident === undefined ? 'found' : 'given';
  if (given.baseline !== undefined) {
    return {
      incident: found,
      incidentSource: source,
      baseline: [given.baseline],
      baselineSource: 'given',
    };
  }
  return { incident: found, incidentSource: source, ...findBaseline(requests, found, range) };
}
