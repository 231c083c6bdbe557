import { effectOf, type LossEffect } from '../../model/event.js';
import type { Reconstruction } from '../../model/reconstruction.js';
import { SAMPLE_ALL } from '../../model/sample.js';
import type { Quality, QualityNote } from '../contract.js';
import { formatBytes, formatClock, formatCount, formatDuration, formatShare } from '../format.js';

/** Shares of links left unknown, or of other ends missing, that are fair and poor. */
const FAIR = 0.01;
const POOR = 0.1;

function level(share: number): QualityNote['level'] {
  return share > POOR ? 'poor' : share > FAIR ? 'fair' : 'good';
}

function sumOf(losses: Reconstruction['losses'], effect: LossEffect): number {
  return losses.reduce(
    (sum, { cause, count }) => sum + (effectOf(cause) === effect ? count : 0),
    0,
  );
}

function lossNote({ losses, counts }: Reconstruction): QualityNote {
  const lost = sumOf(losses, 'missing');
  const poorer = sumOf(losses, 'poorer');
  const also =
    poorer === 0
      ? ''
      : ` ${formatCount(poorer)} more times it counted what makes records poorer: heads beyond the snap length, unreadable payload, bytes that passed unrecorded.`;
  const label = lost === 0 ? 'nothing lost' : `${formatCount(lost)} records lost`;
  const text =
    lost === 0
      ? `The recorder counted no lost record among ${formatCount(counts.events)} events.`
      : `The recorder counted ${formatCount(lost)} lost records beside ${formatCount(counts.events)} events; what they held is missing below.`;
  const isGood = lost === 0 && poorer === 0;
  const share = (lost + poorer) / (lost + poorer + counts.events);
  return { level: isGood ? 'good' : level(share), label, text: text + also };
}

/** Stretches told in the note about the budget at most. */
const MOST_STRETCHES = 4;

function budgetNotes({ budget = [], losses }: Reconstruction, epochNs: bigint): QualityNote[] {
  if (budget.length === 0) return [];
  const clock = (ns: string) => formatClock(epochNs.toString(), Number(BigInt(ns) - epochNs) / 1e6);
  const told = budget
    .slice(0, MOST_STRETCHES)
    .map(
      ({ host, step, fromNs, toNs, reason }) =>
        `${host} at ${step} from ${clock(fromNs)} to ${clock(toNs)} (${reason})`,
    );
  const rest = budget.length - told.length;
  const sampled = budget.some(({ sampleLimit }) => sampleLimit < SAMPLE_ALL);
  const effect = sampled
    ? 'Where only a sample of the connections was recorded, counts are too low, other ends and parents may be left out without being lost, and calls are linked by what their messages say alone.'
    : 'All connections were recorded, but hints or the ends of heads are missing.';
  const left = sumOf(losses, 'chosen');
  return [
    {
      level: sampled ? 'poor' : 'fair',
      label: sampled ? 'only a sample at times' : 'detail reduced at times',
      text: `To keep the budget, less was recorded: ${told.join('; ')}${rest > 0 ? `; and ${formatCount(rest)} more stretches` : ''}. ${formatCount(left)} calls or heads were left out so. ${effect}`,
    },
  ];
}

function clockNotes({ losses }: Reconstruction, epochNs: bigint): QualityNote[] {
  const events = losses.filter(({ cause }) => effectOf(cause) === 'time');
  if (events.length === 0) return [];
  const told = events.slice(0, MOST_STRETCHES).map(({ host, scope, toNs, stepNs }) => {
    const at = formatClock(epochNs.toString(), Number(BigInt(toNs) - epochNs) / 1e6);
    const by = stepNs === undefined ? '' : ` by ${formatDuration(Number(BigInt(stepNs)) / 1e6)}`;
    return `${host}: ${scope}${by}, ${at}`;
  });
  const rest = events.length - told.length;
  const isStepped = events.some(({ stepNs }) => stepNs !== undefined);
  return [
    {
      level: 'fair',
      label: isStepped ? 'a clock was set' : 'the recorder paused',
      text: `${told.join('; ')}${rest > 0 ? `; and ${formatCount(rest)} more` : ''}. ${
        isStepped
          ? 'Times below are what the wall clock said; durations come from the monotonic clock and hold.'
          : 'Events of such a pause waited in the ring; what it could not hold is among the losses.'
      }`,
    },
  ];
}

function unrecordedNotes(reconstruction: Reconstruction, epochNs: bigint): QualityNote[] {
  const stretches = reconstruction.losses.filter(({ cause }) => effectOf(cause) === 'unknown');
  if (stretches.length === 0) return [];
  const msOf = ({ fromNs, toNs }: { fromNs: string; toNs: string }) =>
    Number(BigInt(toNs) - BigInt(fromNs)) / 1e6;
  const clock = (ns: string) => formatClock(epochNs.toString(), Number(BigInt(ns) - epochNs) / 1e6);
  const told = stretches
    .slice(0, MOST_STRETCHES)
    .map(({ host, fromNs, toNs }) => `${host} from ${clock(fromNs)} to ${clock(toNs)}`);
  const rest = stretches.length - told.length;
  const longest = Math.max(...stretches.map(msOf));
  return [
    {
      level: longest / msOf(reconstruction) > FAIR ? 'poor' : 'fair',
      label: 'no recorder ran at times',
      text: `Nothing was recorded at ${told.join('; ')}${rest > 0 ? `; and in ${formatCount(rest)} more stretches` : ''}: the recorder was stopped or killed, or the host was down. How much happened meanwhile is not known.`,
    },
  ];
}

function linkNote({ links }: Reconstruction): QualityNote {
  const linked = links.certain + links.probable;
  const all = linked + links.unknown;
  const share = all === 0 ? 0 : links.unknown / all;
  return {
    level: level(share),
    label: all === 0 ? 'no calls to link' : `${formatShare(linked / all)} of calls linked`,
    text:
      `Of ${formatCount(all)} calls that a request caused, ${formatCount(links.certain)} are linked with certainty, ` +
      `${formatCount(links.probable)} with a stated probability, and ${formatCount(links.unknown)} are left unlinked ` +
      `because the evidence did not suffice. ${formatCount(links.root)} more belong to no recorded request.`,
  };
}

function hopNote({ counts }: Reconstruction): QualityNote {
  const ends = counts.hops + counts.unmatched;
  const missing = `${formatCount(counts.unmatched)} ends missing`;
  return {
    level: level(ends === 0 ? 0 : counts.unmatched / ends),
    label: ends === 0 ? 'no hops' : counts.unmatched === 0 ? 'both ends seen' : missing,
    text:
      `${formatCount(counts.hops)} calls were recorded at both ends and joined by their TCP sequence numbers; ` +
      `at ${formatCount(counts.unmatched)} the other end should have been recorded but was not found.`,
  };
}

/** Services that an audit tells apart. */
const AUDITED_SERVICES = 4;

/** What the user's own ids say of links that are made without them. */
function auditNotes({ audits = [] }: Reconstruction): QualityNote[] {
  const sum = (value: (audit: (typeof audits)[number]) => number) =>
    audits.reduce((total, audit) => total + value(audit), 0);
  const calls = sum((audit) => audit.calls);
  if (calls === 0) return [];
  const right = sum((audit) => audit.right);
  const wrong = sum((audit) => audit.wrong);
  const linked = right + wrong;
  const each = [...audits]
    .sort((a, b) => b.calls - a.calls)
    .slice(0, AUDITED_SERVICES)
    .map(
      (own) =>
        `${own.service} ${formatShare(own.right / own.calls)} right and ${formatShare(own.wrong / own.calls)} wrong of ${formatCount(own.calls)}`,
    );
  const rest = audits.length - each.length;
  const claims =
    linked === 0
      ? ''
      : ` The links made so claimed ${formatShare(sum((audit) => audit.claimed) / linked)} on average, and ${formatShare(right / linked)} were right.`;
  return [
    {
      level: wrong / calls > FAIR ? 'fair' : 'good',
      label: `self-audit: ${formatShare(right / calls)} right`,
      text:
        `Ids in your own traffic tell the request of ${formatCount(calls)} calls. With these ids hidden, ${formatShare(right / calls)} of them were linked right, ` +
        `${formatShare(wrong / calls)} wrong, and the others left unlinked: ${each.join('; ')}${rest > 0 ? `; and ${formatCount(rest)} more services` : ''}.${claims} ` +
        'The links below use the ids; where calls carry none, expect what this says.',
    },
  ];
}

/** Services that a note names. */
const NAMED_SERVICES = 8;

/** Why TLS of services stays encrypted, '' where it does not. */
function encryptedText(encrypted: Reconstruction['encrypted']): string {
  if (encrypted === undefined) return '';
  const names = new Map<string, Set<string>>();
  for (const { service, reason } of encrypted)
    names.set(reason, (names.get(reason) ?? new Set()).add(service));
  const parts = [...names].map(([reason, services]) => {
    const named = [...services].slice(0, NAMED_SERVICES).join(', ');
    const more = services.size - NAMED_SERVICES;
    return `${named}${more > 0 ? ` and ${more} more` : ''} (${reason})`;
  });
  return ` Where these use TLS, it stays encrypted: ${parts.join('; ')}.`;
}

function opaqueNote({ counts, encrypted }: Reconstruction): QualityNote {
  const { opaqueConnections: opaque, connections } = counts;
  return {
    level: opaque === 0 ? 'good' : 'fair',
    label: `${formatCount(opaque)} opaque connections`,
    text:
      opaque === 0
        ? `All ${formatCount(connections)} connections showed HTTP/1.`
        : `${formatCount(opaque)} of ${formatCount(connections)} connections never showed HTTP/1 (TLS, another protocol, or silent): their sizes and times are recorded, their requests are not.${encryptedText(encrypted)}`,
  };
}

function fileNotes({ unreadable, segments }: Reconstruction): QualityNote[] {
  const notes: QualityNote[] = [];
  const partial = segments.filter((segment) => segment.partial).length;
  if (unreadable.length > 0) {
    const text = 'These files could not be read; their time or host may be missing below.';
    notes.push({ level: 'poor', label: `${unreadable.length} files unreadable`, text });
  }
  if (partial > 0) {
    const text =
      'The recorder was still running, or ended without closing them: up to a second is missing at their end.';
    notes.push({ level: 'fair', label: `${partial} segments not closed`, text });
  }
  return notes;
}

function skewNotes({ skews }: Reconstruction): QualityNote[] {
  const worst = skews.reduce((most, { offsetNs }) => Math.max(most, Math.abs(offsetNs)), 0) / 1e6;
  if (skews.length === 0) return [];
  return [
    {
      level: worst > 1 ? 'fair' : 'good',
      label: `clocks within ${formatDuration(worst)}`,
      text: 'Offsets between host clocks, estimated from calls seen at both ends. Times are shown as recorded, not shifted.',
    },
  ];
}

/** What the recording and the reconstruction missed, for the top of the page. */
export function assessQuality(reconstruction: Reconstruction, epochNs: bigint): Quality {
  const toMs = (ns: string) => Number(BigInt(ns) - epochNs) / 1e6;
  return {
    notes: [
      lossNote(reconstruction),
      linkNote(reconstruction),
      ...auditNotes(reconstruction),
      hopNote(reconstruction),
      opaqueNote(reconstruction),
      ...budgetNotes(reconstruction, epochNs),
      ...unrecordedNotes(reconstruction, epochNs),
      ...clockNotes(reconstruction, epochNs),
      ...fileNotes(reconstruction),
      ...skewNotes(reconstruction),
    ],
    links: reconstruction.links,
    services: reconstruction.services.map(({ service, host, model, links }) => ({
      service,
      host,
      model,
      ...links,
    })),
    losses: reconstruction.losses.map(({ fromNs, toNs, host, cause, count, scope, bytes }) => ({
      host,
      cause,
      count,
      scope: bytes === undefined ? scope : `${scope}, ${formatBytes(bytes)}`,
      fromMs: toMs(fromNs),
      toMs: toMs(toNs),
    })),
    skews: reconstruction.skews.map(({ offsetNs, uncertaintyNs, ...skew }) => ({
      ...skew,
      offsetMs: offsetNs / 1e6,
      uncertaintyMs: uncertaintyNs / 1e6,
    })),
    unreadable: reconstruction.unreadable,
  };
}
