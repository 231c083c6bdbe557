import { EventKind, LossCause, STALL_MS } from '../model/event.js';
import type { SegmentHeader } from '../model/segment.js';
import { whyEncrypted } from '../model/tls.js';
import { unrecordedStretches } from '../model/unrecorded.js';
import type { Identities } from './age.js';
import { readCatalog, reasonOf, type SegmentInfo, type UnreadableFile } from './catalog.js';
import type { ImportInfo } from './import-files.js';
import { openSegment } from './segment-reader.js';

/** How many of each name; names in order of first appearance. */
export type Counts = Readonly<Record<string, number>>;

interface InspectedSegment {
  readonly path: string;
  readonly header: SegmentHeader;
  /** True for an open or crashed segment, read up to its last whole batch. */
  readonly partial: boolean;
  readonly rows: number;
  readonly bytes: number;
  /** First and last event, UTC epoch ns as decimal strings. */
  readonly fromNs: string;
  readonly toNs: string;
  /** Events by name of their kind. */
  readonly kinds: Counts;
  /** Lost records by cause; 'other' is a cause that this version does not know. */
  readonly losses: Counts;
  /** Processes whose TLS stays encrypted: why, by name. */
  readonly encrypted: Readonly<Record<string, string>>;
}

/** What the recorder of a segment says of itself, times in epoch ns. */
interface Life {
  readonly heartbeats: readonly bigint[];
  /** Names of the budget's steps, '' where it leaves nothing out. */
  readonly budget: readonly { readonly timeNs: bigint; readonly step: string }[];
}

interface InspectedImport {
  readonly path: string;
  /** jaeger, otlp or zipkin. */
  readonly format: string;
  /** True if the links that the file states were kept. */
  readonly parentsKept: boolean;
  readonly services: readonly string[];
  readonly exchanges: number;
  readonly bytes: number;
  /** First start and last end, UTC epoch ns as decimal strings. */
  readonly fromNs: string;
  readonly toNs: string;
}

/** Segments that belong together, summed. */
interface SegmentGroup {
  readonly host: string;
  readonly bootId: string;
  readonly segments: number;
  readonly rows: number;
  readonly bytes: number;
  readonly fromNs: string;
  readonly toNs: string;
}
interface InspectedRecording extends SegmentGroup {
  readonly recordingId: string;
  readonly tool: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

export interface InspectResult {
  readonly segments: readonly InspectedSegment[];
  readonly hosts: readonly SegmentGroup[];
  readonly recordings: readonly InspectedRecording[];
  /** Files of imported spans; they count nowhere else. */
  readonly imports: readonly InspectedImport[];
  readonly rows: number;
  readonly bytes: number;
  /** '' where there is no segment. */
  readonly fromNs: string;
  readonly toNs: string;
  readonly kinds: Counts;
  readonly losses: Counts;
  readonly unreadable: readonly UnreadableFile[];
  /** What is odd or missing, one sentence each. */
  readonly warnings: readonly string[];
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(EventKind).map(([name, kind]) => [kind, name]),
);

const COUNTED_COLUMNS = ['kind', 'count', 'name', 'detail', 'time_ns'] as const;

const CAUSES: ReadonlySet<string> = new Set(Object.values(LossCause));

function add(counts: Record<string, number>, name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function sumCounts(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) add(sum, name, count);
  }
  return sum;
}

interface Counted {
  readonly kinds: Counts;
  readonly losses: Counts;
  readonly encrypted: Readonly<Record<string, string>>;
  readonly life: Life;
}

/** What the description of a process says of its TLS. */
function tlsOf(detail: string): string {
  try {
    const { tls } = JSON.parse(detail) as { tls?: unknown };
    return typeof tls === 'string' ? whyEncrypted(tls) : '';
  } catch {
    return '';
  }
}

async function countEvents(info: SegmentInfo, identities: Identities): Promise<Counted> {
  const byKind = new Float64Array(256);
  const losses: Record<string, number> = {};
  const encrypted: Record<string, string> = {};
  const heartbeats: bigint[] = [];
  const budget: { timeNs: bigint; step: string }[] = [];
  const decoder = new TextDecoder();
  const segment = await openSegment(info.path, identities);
  try {
    for await (const batch of segment.read({ columns: COUNTED_COLUMNS })) {
      const { kind, count, name, detail, time_ns: time } = batch;
      const textOf = ({ data, offsets }: typeof name, i: number) =>
        decoder.decode(data.subarray(offsets[i], offsets[i + 1]));
      const nameOf = (i: number) => textOf(name, i);
      for (let i = 0; i < batch.rows; i++) {
        byKind[kind[i]!]! += 1;
        if (kind[i] === EventKind.heartbeat) heartbeats.push(time[i]!);
        if (kind[i] === EventKind.budget) budget.push({ timeNs: time[i]!, step: nameOf(i) });
        if (kind[i] === EventKind.process) {
          const reason = tlsOf(textOf(detail, i));
          if (reason !== '') encrypted[nameOf(i)] = reason;
        }
        if (kind[i] !== EventKind.loss) continue;
        const cause = nameOf(i);
        add(losses, CAUSES.has(cause) ? cause : 'other', Number(count[i]));
      }
    }
  } finally {
    segment.close();
  }
  const kinds: Record<string, number> = {};
  for (const [kind, count] of byKind.entries()) {
    if (count > 0) kinds[KIND_NAMES.get(kind) ?? `kind ${kind}`] = count;
  }
  return { kinds, losses, encrypted, life: { heartbeats, budget } };
}

function groupOf(segments: readonly SegmentInfo[]): SegmentGroup {
  const first = segments[0]!;
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const most = (a: bigint, b: bigint) => (a > b ? a : b);
  return {
    host: first.host,
    bootId: first.bootId,
    segments: segments.length,
    rows: segments.reduce((sum, segment) => sum + segment.rows, 0),
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    fromNs: segments
      .map(({ fromNs }) => fromNs)
      .reduce(least)
      .toString(),
    toNs: segments
      .map(({ toNs }) => toNs)
      .reduce(most)
      .toString(),
  };
}

function groupBy(
  segments: readonly SegmentInfo[],
  key: (segment: SegmentInfo) => string,
): (readonly SegmentInfo[])[] {
  const groups = new Map<string, SegmentInfo[]>();
  for (const segment of segments) {
    const group = groups.get(key(segment));
    if (group === undefined) groups.set(key(segment), [segment]);
    else group.push(segment);
  }
  return [...groups.values()];
}

/** Gaps inside a recording. Missing first segments are usual: retention deletes the oldest. */
function missingWarnings(recording: readonly SegmentInfo[]): string[] {
  const { header } = recording[0]!;
  const numbers = recording.map((segment) => segment.header.sequence).sort((a, b) => a - b);
  const warnings: string[] = [];
  for (let i = 1; i < numbers.length; i++) {
    const before = numbers[i - 1]!;
    const after = numbers[i]!;
    if (after <= before + 1) continue;
    const range = after === before + 2 ? `${before + 1}` : `${before + 1}..${after - 1}`;
    warnings.push(
      `${header.host}: segment ${range} of recording ${header.recordingId} is missing.`,
    );
  }
  return warnings;
}

const momentOf = (ns: bigint) => new Date(Number(ns / 1_000_000n)).toISOString();

function ordered(times: readonly bigint[]): bigint[] {
  return [...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Silences between two heartbeats of one recording, and steps of its budget. */
function lifeWarnings(
  recording: readonly SegmentInfo[],
  lives: ReadonlyMap<string, Life>,
): string[] {
  const { host } = recording[0]!;
  const all = recording.flatMap(({ path }) => lives.get(path) ?? []);
  const beats = ordered(all.flatMap(({ heartbeats }) => heartbeats));
  const warnings: string[] = [];
  for (const [i, beat] of beats.entries()) {
    const before = beats[i - 1] ?? beat;
    const silentMs = Number(beat - before) / 1e6;
    if (silentMs <= STALL_MS) continue;
    const seconds = (silentMs / 1000).toFixed(0);
    warnings.push(
      `${host}: the recorder gave no sign of life for ${seconds} s before ${momentOf(beat)}.`,
    );
  }
  const steps = all.flatMap(({ budget }) => budget).sort((a, b) => Number(a.timeNs - b.timeNs));
  const changes = steps.filter(({ step }, i) => step !== (steps[i - 1]?.step ?? ''));
  if (changes.length > 0) {
    const told = changes.slice(0, 8).map(({ step, timeNs }) => `${step} at ${momentOf(timeNs)}`);
    const rest = changes.length > told.length ? `, and ${changes.length - told.length} more` : '';
    warnings.push(`${host}: the budget stepped to ${told.join(', ')}${rest}.`);
  }
  return warnings;
}

/** Stretches told one by one at most. */
const MOST_STRETCHES = 8;

function unrecordedWarnings(segments: readonly SegmentInfo[]): string[] {
  const found = unrecordedStretches(
    segments.map(({ host, header: { recordingId }, fromNs, toNs }) => {
      return { host, recordingId, fromNs, toNs };
    }),
  );
  const told = found
    .slice(0, MOST_STRETCHES)
    .map(
      ({ host, fromNs, toNs }) =>
        `${host}: no recorder ran from ${momentOf(fromNs)} to ${momentOf(toNs)}.`,
    );
  const rest = found.length - told.length;
  return rest > 0 ? [...told, `No recorder ran in ${rest} more stretches.`] : told;
}

function inspectImport(info: ImportInfo): InspectedImport {
  const { path, format, parentsKept, services, rows: exchanges, bytes } = info;
  const fromNs = info.fromNs.toString();
  const toNs = info.toNs.toString();
  return { path, format, parentsKept, services, exchanges, bytes, fromNs, toNs };
}

/** Files of an import that are not among those that were found. */
function importWarnings(imports: readonly ImportInfo[]): string[] {
  const found = new Map<string, number>();
  for (const { bootId } of imports) found.set(bootId, (found.get(bootId) ?? 0) + 1);
  const firsts = imports.filter(({ bootId }, i) => imports[i - 1]?.bootId !== bootId);
  return firsts.flatMap(({ path, bootId, parts }) => {
    const missing = parts - found.get(bootId)!;
    return missing === 0
      ? []
      : [`${path}: ${missing} of the ${parts} files of its import are missing.`];
  });
}

function tornWarning({ path, partial, tornBytes }: SegmentInfo): string[] {
  if (!partial) return [];
  const torn = tornBytes > 0 ? ` Its last ${tornBytes} bytes hold no whole batch.` : '';
  return [`${path}: is still open, or its recorder died.${torn}`];
}

function inspectRecording(segments: readonly SegmentInfo[]): InspectedRecording {
  const { recordingId, tool } = segments[0]!.header;
  const numbers = segments.map(({ header }) => header.sequence);
  return {
    ...groupOf(segments),
    recordingId,
    tool,
    firstSequence: numbers.reduce((a, b) => Math.min(a, b)),
    lastSequence: numbers.reduce((a, b) => Math.max(a, b)),
  };
}

/**
 * Says what directories and files of segments and imports hold. Reads five columns of every
 * segment. Files that cannot be read are listed, and the rest is used.
 *
 * @throws CodedError INPUT as readCatalog
 */
export async function inspectPaths(
  paths: readonly string[],
  identities: Identities = [],
): Promise<InspectResult> {
  const catalog = await readCatalog(paths, identities);
  const segments: InspectedSegment[] = [];
  const readable: SegmentInfo[] = [];
  const unreadable = [...catalog.unreadable];
  const lives = new Map<string, Life>();
  for (const info of catalog.segments) {
    try {
      const { path, header, partial, rows, bytes } = info;
      const fromNs = info.fromNs.toString();
      const toNs = info.toNs.toString();
      const { life, ...counts } = await countEvents(info, identities);
      lives.set(path, life);
      segments.push({ path, header, partial, rows, bytes, fromNs, toNs, ...counts });
      readable.push(info);
    } catch (error) {
      unreadable.push({ file: info.path, reason: reasonOf(error) });
    }
  }
  const recordings = groupBy(readable, ({ header }) => header.recordingId);
  const total = readable.length === 0 ? undefined : groupOf(readable);
  return {
    segments,
    hosts: groupBy(readable, ({ host, bootId }) => JSON.stringify([host, bootId])).map(groupOf),
    recordings: recordings.map(inspectRecording),
    imports: catalog.imports.map(inspectImport),
    rows: total?.rows ?? 0,
    bytes: total?.bytes ?? 0,
    fromNs: total?.fromNs ?? '',
    toNs: total?.toNs ?? '',
    kinds: sumCounts(segments.map(({ kinds }) => kinds)),
    losses: sumCounts(segments.map(({ losses }) => losses)),
    unreadable,
    warnings: [
      ...unreadable.map(({ file, reason }) => `${file}: ${reason}`),
      ...readable.flatMap(tornWarning),
      ...recordings.flatMap(missingWarnings),
      ...recordings.flatMap((recording) => lifeWarnings(recording, lives)),
      ...unrecordedWarnings(readable),
      ...importWarnings(catalog.imports),
    ],
  };
}
