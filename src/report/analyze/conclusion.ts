import { effectOf } from '../../model/event.js';
import type {
  Conclusion,
  ErrorGroup,
  Factor,
  Impact,
  Quality,
  ServiceMap,
  Windows,
} from '../contract.js';
import { formatClock, formatCount, formatDuration, formatPart, formatShare } from '../format.js';
import { shorten } from '../text.js';

/** A place is named only if it explains at least this share … */
const MIN_SCORE = 0.5;
/** … and the next explains less than half as much. */
const MAX_RIVAL = 0.5;
/** Links left unknown at the named service that make its own time doubtful. */
const DOUBTFUL_LINKS = 0.02;
/** Routes are captured text: they must not drown the sentence. */
const MAX_NAME = 80;
/** Requests in the incident below which the figures are weak. */
const FEW_REQUESTS = 50;

export interface Findings {
  readonly epochNs: string;
  readonly windows: Windows;
  readonly impact: Impact;
  readonly factors: readonly Factor[];
  readonly errors: readonly ErrorGroup[];
  readonly quality: Quality;
  readonly serviceMap: ServiceMap;
}

type Sentence = Conclusion['sentences'][number];

/** The place that the evidence singles out, if it does. */
function findCulprit({ windows, factors }: Findings): Factor | undefined {
  const [first, second] = factors;
  if (windows.incident === null || first === undefined || first.score < MIN_SCORE) return undefined;
  return second !== undefined && second.score > first.score * MAX_RIVAL ? undefined : first;
}

function impactSentence({ impact, windows, epochNs }: Findings): Sentence {
  const { before, during } = impact;
  const span =
    windows.incident === null
      ? 'In the whole recording'
      : `From ${formatClock(epochNs, windows.incident.fromMs)} to ${formatClock(epochNs, windows.incident.toMs)} UTC`;
  const failed = `${formatPart(during.failed, during.requests)} requests failed`;
  const usual =
    before === null
      ? ''
      : `, against ${formatPart(before.failed, before.requests)} in the baseline`;
  const slow =
    during.p95Ms === null
      ? ''
      : `; p95 latency was ${formatDuration(during.p95Ms)}${before?.p95Ms ? ` against ${formatDuration(before.p95Ms)}` : ''}`;
  return { text: `${span} ${failed}${usual}${slow}.`, evidence: 'impact' };
}

function routeSentence({ impact }: Findings): Sentence[] {
  const hit = impact.routes.filter(
    ({ before, during }) =>
      during.failed / Math.max(1, during.requests) >
        2 * ((before?.failed ?? 0) / Math.max(1, before?.requests ?? 0)) + 0.01 ||
      (before?.p95Ms && during.p95Ms && during.p95Ms > before.p95Ms * 3),
  );
  if (hit.length === 0) return [];
  const names = hit
    .slice(0, 3)
    .map(({ service, route }) => `${shorten(route, MAX_NAME)} at ${service}`);
  const more = hit.length > 3 ? ` and ${hit.length - 3} more` : '';
  const text = `Hit: ${names.join(', ')}${more}; ${impact.routes.length - hit.length} other routes changed little.`;
  return [{ text, evidence: 'impact' }];
}

function otherSentences({ windows, epochNs }: Findings): Sentence[] {
  return windows.others.map(({ fromMs, toMs, requests, failed, slow }) => {
    const from = formatClock(epochNs, fromMs);
    const to = formatClock(epochNs, toMs);
    const what = `${formatPart(failed, requests)} failed and ${formatPart(slow, requests)} were slow`;
    const text = `Another stretch stands out, from ${from} to ${to}: ${what}. It is left out of the baseline; --incident looks into it.`;
    return { text, evidence: 'heat-map' };
  });
}

function factorSentence(factor: Factor): Sentence {
  const parts: string[] = [];
  if (factor.failureShare > 0) {
    parts.push(
      `${formatShare(factor.failureShare)} of the extra failures begin there (${formatCount(factor.extraFailures)})`,
    );
  }
  if (factor.timeShare > 0) {
    const own =
      factor.ownBeforeMs === null || factor.ownDuringMs === null
        ? ''
        : ` (own time per request ${formatDuration(factor.ownDuringMs)} against ${formatDuration(factor.ownBeforeMs)})`;
    parts.push(
      `${formatShare(factor.timeShare)} of the extra time on the critical path is its own${own}`,
    );
  }
  return { text: `${factor.service}: ${parts.join('; ')}.`, evidence: 'factors' };
}

function caveats(findings: Findings, culprit: Factor | undefined): string[] {
  const { quality, impact, windows, errors } = findings;
  const found: string[] = [];
  const { incident } = windows;
  const inIncident = quality.losses.filter(
    ({ fromMs, toMs }) => incident === null || (fromMs < incident.toMs && toMs > incident.fromMs),
  );
  const lost = inIncident.filter(({ cause }) => !['time', 'unknown'].includes(effectOf(cause)));
  if (lost.length > 0) {
    const count = lost.reduce((sum, loss) => sum + loss.count, 0);
    found.push(`The recorder lost ${formatCount(count)} records in this time: counts are too low.`);
  }
  const unrecorded = inIncident.filter(({ cause }) => effectOf(cause) === 'unknown');
  if (unrecorded.length > 0) {
    const hosts = [...new Set(unrecorded.map(({ host }) => host))].join(', ');
    found.push(`On ${hosts} no recorder ran for a part of this time: counts are too low.`);
  }
  const links = quality.services.filter(({ service }) => service === culprit?.service);
  const unknown = links.reduce((sum, service) => sum + service.unknown, 0);
  const all = links.reduce((sum, { certain, probable }) => sum + certain + probable, unknown);
  if (all > 0 && unknown / all > DOUBTFUL_LINKS) {
    found.push(
      `${formatPart(unknown, all)} calls of ${culprit!.service} could not be linked: time and failures behind them count as its own.`,
    );
  }
  const uncertain = errors.reduce((sum, group) => sum + group.uncertain, 0);
  if (uncertain > 0) {
    found.push(
      `${formatCount(uncertain)} failures may begin further in: a failed call of the same service could not be linked then.`,
    );
  }
  if (culprit !== undefined && !culprit.recorded) {
    found.push(`${culprit.service} was not recorded: what happened inside it is not known.`);
  }
  if (incident !== null && impact.during.requests < FEW_REQUESTS) {
    found.push(`Only ${formatCount(impact.during.requests)} requests fall into the incident.`);
  }
  if (incident !== null && windows.baseline.length === 0) {
    found.push(
      'There is no time to compare with: what is unusual cannot be told from what is not.',
    );
  }
  return found;
}

function headline(findings: Findings, culprit: Factor | undefined): string {
  const { windows, factors, impact } = findings;
  if (impact.during.requests === 0) return 'No HTTP request was recorded.';
  if (windows.incident === null) {
    return impact.during.failed === 0
      ? 'No stretch of time stands out: no request failed, and latency kept to its usual.'
      : `No stretch of time stands out; ${formatPart(impact.during.failed, impact.during.requests)} requests failed over the whole recording.`;
  }
  if (culprit !== undefined) {
    return `The candidate is ${culprit.service}: the incident begins there.`;
  }
  const named = factors.slice(0, 3).map((f) => `${f.service} (${formatShare(f.score)})`);
  return named.length === 0
    ? 'An incident stands out, but nothing recorded explains where it begins.'
    : `An incident stands out, but no single service explains it: ${named.join(', ')}.`;
}

/** Says what was found, never more than the figures bear. */
export function conclude(findings: Findings): Conclusion {
  const culprit = findCulprit(findings);
  const { impact, windows, factors } = findings;
  const sentences: Sentence[] = [];
  if (impact.during.requests > 0) sentences.push(impactSentence(findings));
  if (windows.incident !== null) {
    const named = culprit === undefined ? factors.slice(0, 3) : [culprit];
    sentences.push(...named.map(factorSentence), ...routeSentence(findings));
    sentences.push(...otherSentences(findings));
  }
  return {
    headline: headline(findings, culprit),
    culprit: culprit?.service ?? null,
    sentences,
    caveats: caveats(findings, culprit),
  };
}
