import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import { EventKind, type LossDetail } from '../model/event.js';
import { HINT_COLUMNS, type HintTable } from '../model/hint.js';
import type { LossSummary, SegmentSummary } from '../model/reconstruction.js';
import { concatTables, takeRows } from '../model/tables.js';
import { openSegment, type Segment } from '../store/segment-reader.js';
import { writeTable } from '../store/table-file.js';
import { takeHints } from './hint-rows.js';
import type { ChronicleEvent, ProcessEvent, ShardInput, ShardOutput } from './tasks.js';
import { type ClockPair, wallClock } from './wall-clock.js';

const TEXT = new TextDecoder();

/** The text of row `row`, '' if none. */
function textAt(column: Batch['name'], row: number): string {
  return TEXT.decode(column.data.subarray(column.offsets[row]!, column.offsets[row + 1]!));
}

/**
 * Spreads 64-bit socket cookies, which are nearly consecutive, over partitions
 * (multiplicative hashing, Knuth 6.4, on both halves).
 */
function partitionOf(low: number, high: number, partitions: number): number {
  const mixed = (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> 0;
  return ((mixed ^ (mixed >>> 15)) >>> 0) % partitions;
}

interface Range {
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

function rangeOf({ fromNs, toNs }: ShardInput): Range {
  return {
    ...(fromNs === undefined ? {} : { fromNs: BigInt(fromNs) }),
    ...(toNs === undefined ? {} : { toNs: BigInt(toNs) }),
  };
}

/** Kinds that say nothing about what comes after them. */
const OF_ITS_TIME: ReadonlySet<number> = new Set([
  EventKind.receive,
  EventKind.send,
  EventKind.loss,
  EventKind.wake,
  EventKind.loop,
  EventKind.post,
]);

/**
 * A range of wall time as times of the segment, which differ where the wall clock was set. Where
 * it was set back, moments happened twice: the range then reaches from the first to the last.
 */
async function onRecordingClock(range: Range, segment: Segment): Promise<Range> {
  const { fromNs, toNs } = range;
  if (fromNs === undefined && toNs === undefined) return range;
  const pairs: ClockPair[] = [];
  for await (const batch of segment.read({ columns: ['time_ns', 'kind', 'count'] })) {
    for (let row = 0; row < batch.rows; row++) {
      if (batch.kind[row] !== EventKind.clock) continue;
      pairs.push({ timeNs: batch.time_ns[row]!, wallNs: batch.count[row]! });
    }
  }
  const { isStepped, correction } = wallClock(pairs);
  if (!isStepped) return range;
  const aheads = pairs.map(({ timeNs }) => correction(timeNs));
  const fits = (ns: bigint) =>
    aheads.map((ahead) => ns - ahead).filter((time) => time + correction(time) === ns);
  const least = (times: readonly bigint[]) => times.reduce((a, b) => (a < b ? a : b));
  const most = (times: readonly bigint[]) => times.reduce((a, b) => (a > b ? a : b));
  // A moment that the clock jumped over lies in the jump.
  const moments = (ns: bigint) => (fits(ns).length > 0 ? fits(ns) : aheads.map((a) => ns - a));
  return {
    ...(fromNs === undefined ? {} : { fromNs: least(moments(fromNs)) }),
    ...(toNs === undefined ? {} : { toNs: most(moments(toNs)) }),
  };
}

/**
 * The rows inside the range, and those before it that say who is there: a segment begins
 * with a description of the open connections and processes.
 */
function selectRows(batch: Batch, { fromNs, toNs }: Range): Batch {
  if (fromNs === undefined && toNs === undefined) return batch;
  const rows = Array.from(batch.time_ns.keys()).filter((row) => {
    const time = batch.time_ns[row]!;
    if (toNs !== undefined && time >= toNs) return false;
    if (fromNs === undefined || time >= fromNs) return true;
    return !OF_ITS_TIME.has(batch.kind[row]!);
  });
  return takeRows(EVENT_COLUMNS, batch, Uint32Array.from(rows));
}

/** Row indices of one batch by partition; rows without a connection go nowhere. */
function splitRows(batch: Batch, partitions: number): Uint32Array[] {
  const { connection } = batch;
  const halves = new Uint32Array(connection.buffer, connection.byteOffset, batch.rows * 2);
  const sizes = new Uint32Array(partitions);
  const target = new Int32Array(batch.rows).fill(-1);
  for (let row = 0; row < batch.rows; row++) {
    const low = halves[row * 2]!;
    const high = halves[row * 2 + 1]!;
    if (low === 0 && high === 0) continue;
    const partition = partitionOf(low, high, partitions);
    target[row] = partition;
    sizes[partition]!++;
  }
  const rows = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(partitions);
  for (let row = 0; row < batch.rows; row++) {
    const partition = target[row]!;
    if (partition >= 0) rows[partition]![filled[partition]!++] = row;
  }
  return rows;
}

function collectProcessEvents(batch: Batch, out: ProcessEvent[], pids: Set<number>): void {
  let last = -1;
  for (let row = 0; row < batch.rows; row++) {
    const kind = batch.kind[row]!;
    const pid = batch.pid[row]!;
    if (kind <= EventKind.connect) {
      if (pid !== last) pids.add(pid);
      last = pid;
      continue;
    }
    const isLife = kind >= EventKind.fork && kind <= EventKind.process;
    // Threads come and go without changing what the process is.
    if (!isLife || (kind !== EventKind.process && batch.tid[row] !== pid)) continue;
    out.push({
      kind,
      timeNs: batch.time_ns[row]!.toString(),
      pid,
      tid: batch.tid[row]!,
      parent: batch.parent[row]!,
      name: textAt(batch.name, row),
      detail: textAt(batch.detail, row),
    });
  }
}

const CHRONICLE: ReadonlySet<number> = new Set([
  EventKind.clock,
  EventKind.budget,
  EventKind.heartbeat,
]);

function collectChronicle(batch: Batch, out: ChronicleEvent[]): void {
  for (let row = 0; row < batch.rows; row++) {
    const kind = batch.kind[row]!;
    if (!CHRONICLE.has(kind)) continue;
    out.push({
      kind,
      timeNs: batch.time_ns[row]!.toString(),
      wallNs: batch.count[row]!.toString(),
      name: textAt(batch.name, row),
      detail: kind === EventKind.budget ? textAt(batch.detail, row) : '',
    });
  }
}

function readLossDetail(text: string): Partial<LossDetail> {
  try {
    return JSON.parse(text) as Partial<LossDetail>;
  } catch {
    return {};
  }
}

function collectLosses(batch: Batch, host: string, out: LossSummary[]): void {
  for (let row = 0; row < batch.rows; row++) {
    if (batch.kind[row] !== EventKind.loss) continue;
    const toNs = batch.time_ns[row]!.toString();
    const detail = readLossDetail(textAt(batch.detail, row));
    out.push({
      host,
      cause: textAt(batch.name, row),
      count: Number(batch.count[row]!),
      fromNs: detail.fromNs ?? toNs,
      toNs,
      scope: detail.scope ?? '',
      ...(detail.stepNs === undefined ? {} : { stepNs: detail.stepNs }),
      ...(detail.bytes === undefined ? {} : { bytes: detail.bytes }),
    });
  }
}

/**
 * Splits one segment into partitions by connection, so that every later task sees
 * whole connections and memory is bounded by a partition. Writes one table file
 * (EVENT_COLUMNS) per partition that got rows, and one of the hints (HINT_COLUMNS).
 */
export async function shard(input: ShardInput): Promise<ShardOutput> {
  const segment = await openSegment(input.segment, input.identities);
  const parts: Batch[][] = Array.from({ length: input.partitions }, () => []);
  const processEvents: ProcessEvent[] = [];
  const pids = new Set<number>();
  const losses: LossSummary[] = [];
  const hints: HintTable[] = [];
  const chronicle: ChronicleEvent[] = [];
  let rows = 0;
  try {
    const range = await onRecordingClock(rangeOf(input), segment);
    const isBefore = range.fromNs !== undefined && segment.toNs < range.fromNs;
    // Earlier batches are read too, for what they say about connections and processes.
    const options = range.toNs === undefined ? {} : { toNs: range.toNs };
    for await (const whole of isBefore ? [] : segment.read(options)) {
      const batch = selectRows(whole, range);
      collectChronicle(whole, chronicle);
      rows += batch.rows;
      collectProcessEvents(batch, processEvents, pids);
      collectLosses(batch, segment.header.host, losses);
      hints.push(takeHints(batch, BigInt(input.baseNs)));
      for (const [partition, indices] of splitRows(batch, input.partitions).entries()) {
        if (indices.length > 0) parts[partition]!.push(takeRows(EVENT_COLUMNS, batch, indices));
      }
    }
  } finally {
    segment.close();
  }
  const files = await writeParts(parts, input.directory);
  const hintFile = await writeHints(hints, input.directory);
  const { header } = segment;
  const summary: SegmentSummary = {
    file: input.segment,
    host: header.host,
    bootId: header.bootId,
    fromNs: segment.fromNs.toString(),
    toNs: segment.toNs.toString(),
    rows,
    bytes: segment.bytes,
    partial: segment.partial,
  };
  return {
    summary,
    files,
    hints: hintFile,
    processEvents,
    pids: [...pids].sort((a, b) => a - b),
    losses,
    recordingId: header.recordingId,
    chronicle,
  };
}

/** The file of all hints of the segment; undefined if there are none. */
async function writeHints(
  tables: readonly HintTable[],
  directory: string,
): Promise<string | undefined> {
  const table = concatTables(HINT_COLUMNS, tables);
  if (table.rows === 0) return undefined;
  const file = join(directory, 'hints.arrow');
  await writeTable(file, HINT_COLUMNS, table);
  return file;
}

async function writeParts(
  parts: readonly (readonly Batch[])[],
  directory: string,
): Promise<(string | undefined)[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files: (string | undefined)[] = [];
  for (const [partition, batches] of parts.entries()) {
    if (batches.length === 0) {
      files.push(undefined);
      continue;
    }
    const file = join(directory, `${partition}.arrow`);
    await writeTable(file, EVENT_COLUMNS, concatTables(EVENT_COLUMNS, batches));
    files.push(file);
  }
  return files;
}
