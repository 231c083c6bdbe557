import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import type { SegmentHeader } from '../model/segment.js';
import { findColumn } from './arrow-columns.js';
import { readFrame } from './arrow-file.js';
import { type Frame, type FrameIndex, indexFrames, readSchema } from './arrow-frames.js';
import { unpackMetadata } from './file-metadata.js';
import type { ByteSource } from './random-file.js';
import { headerFromMetadata } from './segment-header.js';

/** Time of the first and last event, epoch ns, both inclusive. */
export type TimeRange = readonly [from: bigint, to: bigint];

/** What can be read of an open or crashed segment. */
export interface PartIndex extends FrameIndex {
  readonly header: SegmentHeader;
  readonly rows: number;
  /** One for each frame. */
  readonly ranges: readonly TimeRange[];
  /** Bytes behind the last whole batch. */
  readonly tornBytes: number;
}

/** What the schema of a `.part` says. @throws CodedError as {@link indexPart} */
function checkSchema({ schema }: Pick<FrameIndex, 'schema'>, path: string): SegmentHeader {
  const header = headerFromMetadata(unpackMetadata(schema.metadata), path);
  for (const [name, spec] of Object.entries(EVENT_COLUMNS)) {
    const isThere = schema.fields.some((field) => field.name === name);
    if (isThere || !('later' in spec)) findColumn(schema, name, spec, path);
  }
  return header;
}

/** The beginning of a `.part`: where its batches start, and what it is. @throws CodedError as {@link indexPart} */
export function readPartStart(
  file: ByteSource,
): Pick<PartIndex, 'schema' | 'schemaEnd' | 'header'> {
  const start = readSchema(file);
  return { ...start, header: checkSchema(start, file.path) };
}

function rangeOf(times: BigInt64Array): TimeRange | undefined {
  if (times.length === 0) return undefined;
  let from = times[0]!;
  let to = from;
  for (const time of times) {
    if (time < from) from = time;
    if (time > to) to = time;
  }
  return [from, to];
}

function timesOf(file: ByteSource, index: FrameIndex, frame: Frame, i: number): BigInt64Array {
  const names = ['time_ns'] as const;
  const batch = readFrame(file, index.schema, frame, `batch ${i}`, EVENT_COLUMNS, names);
  return (batch as Pick<Batch, 'rows' | 'time_ns'>).time_ns;
}

function canDecode(file: ByteSource, index: FrameIndex, frame: Frame): boolean {
  try {
    readFrame(file, index.schema, frame, 'last batch', EVENT_COLUMNS, Object.keys(EVENT_COLUMNS));
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds the whole batches of a `.part`. After a power cut a file can end in zeros that
 * have the size of a batch, so it ends before the first batch whose times are not set,
 * and with one that can be decoded.
 *
 * @throws CodedError INPUT if it does not begin like a segment, UNSUPPORTED if it is of a newer version
 */
export function indexPart(file: ByteSource): PartIndex {
  const index = indexFrames(file);
  const header = checkSchema(index, file.path);
  const ranges: TimeRange[] = [];
  for (const [i, frame] of index.frames.entries()) {
    const range = rangeOf(timesOf(file, index, frame, i));
    if (range === undefined || range[0] <= 0n) break;
    ranges.push(range);
  }
  while (ranges.length > 0 && !canDecode(file, index, index.frames[ranges.length - 1]!)) {
    ranges.pop();
  }
  const frames = index.frames.slice(0, ranges.length);
  const whole = frames.length === index.frames.length;
  const end = frames.at(-1)?.end ?? index.schemaEnd;
  return {
    ...index,
    frames,
    end,
    header,
    ranges,
    rows: frames.reduce((sum, frame) => sum + frame.rows, 0),
    tornBytes: whole && index.closed ? 0 : file.size - end,
  };
}
