import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import type { SegmentHeader } from '../model/segment.js';
import type { Identities } from './age.js';
import { openSource } from './age-file.js';
import { readFrame } from './arrow-file.js';
import { isErrno } from './io-error.js';
import { ParquetReader } from './parquet-file.js';
import { indexPart, type TimeRange } from './part-file.js';
import type { OpenSource } from './random-file.js';
import { headerFromMetadata } from './segment-header.js';
import { closedPath, isOpenName, isStreamName } from './segment-name.js';

export type EventColumn = keyof typeof EVENT_COLUMNS;

export interface ReadOptions<K extends EventColumn = EventColumn> {
  /** Columns to read from the disk; default all. */
  readonly columns?: readonly K[];
  /** Skip batches that hold no event in [fromNs, toNs). Others come whole: filter the rows. */
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

/** A segment opened for reading, closed (`.parquet`) or still open or crashed (`.part`). */
export interface Segment {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly rows: number;
  /** True for a `.part`: it may still grow, or its recorder died. */
  readonly partial: boolean;
  /** Bytes behind the last whole batch of a `.part`, which cannot be read. */
  readonly tornBytes: number;
  /** Time of the first and last event, epoch ns, both inclusive; the start in the header if there is none. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Size of the file. */
  readonly bytes: number;
  /** Row groups (`.parquet`) or batches (`.part`). */
  readonly batches: number;
  /** One batch per row group or appended batch, in file order. @throws CodedError INPUT if damaged */
  read<K extends EventColumn = EventColumn>(
    options?: ReadOptions<K>,
  ): AsyncIterable<Pick<Batch, K | 'rows'>>;
  close(): void;
}

function overlaps(range: TimeRange | undefined, { fromNs, toNs }: ReadOptions): boolean {
  if (range === undefined) return true;
  return (fromNs === undefined || range[1] >= fromNs) && (toNs === undefined || range[0] < toNs);
}

/** The range over all batches; where one is not known, or there is none, undefined. */
function joinRanges(ranges: readonly (TimeRange | undefined)[]): TimeRange | undefined {
  let from: bigint | undefined;
  let to: bigint | undefined;
  for (const range of ranges) {
    if (range === undefined) continue;
    if (from === undefined || range[0] < from) from = range[0];
    if (to === undefined || range[1] > to) to = range[1];
  }
  return from === undefined || to === undefined ? undefined : [from, to];
}

/** How either kind of file gives its batches. */
interface BatchFile {
  readonly header: SegmentHeader;
  readonly rows: number;
  readonly tornBytes: number;
  readonly bytes: number;
  readonly ranges: readonly (TimeRange | undefined)[];
  readBatch<K extends EventColumn>(
    index: number,
    names: readonly K[],
  ): Promise<Pick<Batch, K | 'rows'>>;
  close(): void;
}

function openClosed(file: OpenSource): BatchFile {
  const reader = new ParquetReader(file);
  const { path } = file;
  const { footer } = reader;
  try {
    return {
      header: headerFromMetadata(footer.metadata, path),
      rows: footer.rows,
      tornBytes: 0,
      bytes: reader.bytes,
      ranges: footer.rowGroups.map((_, i) => footer.range(i, 'time_ns')),
      readBatch: (index, names) => reader.readGroup(index, EVENT_COLUMNS, names),
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

function openStream(file: OpenSource): BatchFile {
  try {
    const { schema, frames, header, rows, ranges, tornBytes } = indexPart(file);
    return {
      header,
      rows,
      tornBytes,
      bytes: file.size,
      ranges,
      readBatch: async (i, names) =>
        readFrame(file, schema, frames[i]!, `batch ${i}`, EVENT_COLUMNS, names) as Batch,
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

const ALL_COLUMNS = Object.keys(EVENT_COLUMNS) as EventColumn[];

/**
 * Opens a segment; only metadata and, of a `.part`, times are read. If a `.part` has
 * just become a `.parquet`, that is opened.
 *
 * @param identities keys for segments that are encrypted
 * @throws CodedError INPUT if it is missing, damaged or foreign, UNSUPPORTED if of a newer version
 */
export async function openSegment(path: string, identities: Identities = []): Promise<Segment> {
  const partial = isOpenName(path);
  let file: BatchFile;
  try {
    const source = await openSource(path, identities);
    file = isStreamName(path) ? openStream(source) : openClosed(source);
  } catch (error) {
    const gone = error instanceof Error && isErrno(error.cause, 'ENOENT');
    if (!partial || !gone) throw error;
    return openSegment(closedPath(path), identities);
  }
  const { header, rows, bytes, tornBytes, ranges } = file;
  const [fromNs, toNs] = joinRanges(ranges) ?? [BigInt(header.startNs), BigInt(header.startNs)];
  async function* read<K extends EventColumn>(options: ReadOptions<K> = {}) {
    const names = options.columns ?? (ALL_COLUMNS as K[]);
    for (const [i, range] of ranges.entries()) {
      if (overlaps(range, options)) yield await file.readBatch(i, names);
    }
  }
  const close = () => file.close();
  const batches = ranges.length;
  return { path, header, rows, partial, tornBytes, fromNs, toNs, bytes, batches, read, close };
}
