import type { Stretch, Window, Windows } from '../contract.js';
import type { Requests } from './requests.js';
import { findStretches, likelihoodRatio, MIN_RATIO } from './scan.js';

/** Requests that a baseline needs. */
const MIN_BASELINE = 30;
/** A stretch beside the incident is worth a word if it has this share of the incident's bad requests. */
const MIN_OTHER = 0.1;

/** Whether a moment lies in one of the windows. */
export function isIn(windows: readonly Window[], moment: number): boolean {
  return windows.some(({ fromMs, toMs }) => moment >= fromMs && moment < toMs);
}

/** Total length of windows, ms. */
export function lengthOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** What is left of a window without others. */
function without(window: Window, others: readonly Window[]): Window[] {
  return others.reduce<Window[]>(
    (parts, other) =>
      parts
        .flatMap(({ fromMs, toMs }) => [
          { fromMs, toMs: Math.min(toMs, other.fromMs) },
          { fromMs: Math.max(fromMs, other.toMs), toMs },
        ])
        .filter(({ fromMs, toMs }) => toMs > fromMs),
    [window],
  );
}

function describeStretch(requests: Requests, window: Window): Stretch {
  const counts = { requests: 0, failed: 0, slow: 0 };
  for (let i = 0; i < requests.rows; i++) {
    if (!isIn([window], requests.start[i]!)) continue;
    counts.requests++;
    if (requests.failed[i] === 1) counts.failed++;
    else if (requests.slow[i] === 1) counts.slow++;
  }
  return { ...window, ...counts };
}

/**
 * The worst stretch first. Failures are worse than waiting: a stretch in which they are
 * over-represented comes before any without, whatever was slow.
 */
function rankStretches(requests: Requests, stretches: readonly Window[]): Stretch[] {
  const failed = requests.failed.reduce((sum, one) => sum + one, 0);
  const failures = (s: Stretch) => {
    const rest = requests.rows - s.requests;
    if (rest === 0 || s.failed / s.requests <= (failed - s.failed) / rest) return 0;
    const ratio = likelihoodRatio(s.failed, s.requests, failed - s.failed, rest);
    return ratio > MIN_RATIO ? s.failed : 0;
  };
  return stretches
    .map((window) => describeStretch(requests, window))
    .sort((a, b) => failures(b) - failures(a) || b.slow - a.slow || a.fromMs - b.fromMs);
}

function findBaseline(
  requests: Requests,
  incident: Window,
  others: readonly Window[],
  range: Window,
): Pick<Windows, 'baseline' | 'baselineSource'> {
  const suffices = (windows: readonly Window[]) => {
    let count = 0;
    for (const start of requests.start) if (isIn(windows, start)) count++;
    return count >= MIN_BASELINE;
  };
  const before = without({ fromMs: range.fromMs, toMs: incident.fromMs }, others);
  if (suffices(before)) return { baseline: before, baselineSource: 'before' };
  const around = without(range, [incident, ...others]);
  return suffices(around)
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
  const stretches = rankStretches(requests, findStretches(requests.start, bad, range));
  const found = given.incident ?? stretches[0];
  if (found === undefined) {
    const none = { incident: null, incidentSource: 'none', baselineSource: 'none' } as const;
    return { ...none, baseline: [], others: [] };
  }
  const incident = { fromMs: found.fromMs, toMs: found.toMs };
  const bads = ({ failed, slow }: Stretch) => failed + slow;
  const least = bads(describeStretch(requests, incident)) * MIN_OTHER;
  const others = stretches.filter(
    (other) =>
      (other.toMs <= incident.fromMs || other.fromMs >= incident.toMs) && bads(other) >= least,
  );
  return {
    incident,
    incidentSource: given.incident === undefined ? 'found' : 'given',
    others,
    ...(given.baseline === undefined
      ? findBaseline(requests, incident, others, range)
      : { baseline: [given.baseline], baselineSource: 'given' }),
  };
}
