/**
 * The Arrow IPC *stream* format, frame by frame: a schema message, then record batch
 * messages, then optionally an end mark. A frame is `FF FF FF FF`, the length of the
 * metadata, the metadata (a flatbuffer), the body; all padded to 8 bytes. Read this
 * way, a stream whose writer died is good up to its last whole frame.
 * https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
 */
import { CodedError } from '../model/errors.js';
import { type ArrowMessage, type ArrowSchema, decodeMessage } from './arrow-message.js';
import type { ByteSource } from './random-file.js';

/** The end mark of a stream. */
export const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Enough for thousands of columns; more is damage, and must not become an allocation. */
const MAX_METADATA = 16 * 1024 * 1024;
const PREFIX = 8;
/** One read gets the prefix and the metadata of a usual batch. */
const GUESS = 4096;

/** Where the whole record batch frames of a stream lie. */
export interface FrameIndex {
  readonly schema: ArrowSchema;
  /** End of the schema frame. */
  readonly schemaEnd: number;
  readonly frames: readonly Frame[];
  /** End of the last whole frame: what lies behind it is no whole batch. */
  readonly end: number;
  /** True if the end mark was found: the writer closed the stream. */
  readonly closed: boolean;
}
export interface Frame {
  readonly offset: number;
  readonly bodyOffset: number;
  readonly end: number;
  readonly rows: number;
}

/** One decoded message and the place of its body. */
export interface FrameMessage {
  readonly message: ArrowMessage;
  readonly bodyOffset: number;
  readonly end: number;
}

/**
 * Decodes the message at `offset`. Returns 'end' at the end mark and 'torn' where no
 * whole message lies (end of file, cut frame, or bytes that are no frame).
 */
export function readMessage(file: ByteSource, offset: number): FrameMessage | 'end' | 'torn' {
  if (offset + PREFIX > file.size) return 'torn';
  const start = file.read(offset, Math.min(GUESS, file.size - offset));
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  if (view.getInt32(0, true) !== -1) return 'torn';
  const length = view.getInt32(4, true);
  if (length === 0) return 'end';
  const bodyOffset = offset + PREFIX + length;
  if (length < 0 || length > MAX_METADATA || bodyOffset > file.size) return 'torn';
  const metadata =
    PREFIX + length <= start.length
      ? start.subarray(PREFIX, PREFIX + length)
      : file.read(offset + PREFIX, length);
  try {
    const message = decodeMessage(metadata);
    const end = bodyOffset + message.bodyLength;
    return end > file.size ? 'torn' : { message, bodyOffset, end };
  } catch {
    return 'torn';
  }
}

/** What a stream begins with. @throws CodedError INPUT if that is no schema */
export function readSchema(file: ByteSource): Pick<FrameIndex, 'schema' | 'schemaEnd'> {
  const first = readMessage(file, 0);
  const schema = typeof first === 'string' ? undefined : first.message.schema;
  if (typeof first === 'string' || schema === undefined) {
    throw new CodedError('INPUT', emptyOrForeign(file.size), file.path);
  }
  return { schema, schemaEnd: first.end };
}

/** Finds all whole frames of a stream. @throws CodedError INPUT as {@link readSchema} */
export function indexFrames(file: ByteSource): FrameIndex {
  const start = readSchema(file);
  const frames: Frame[] = [];
  let offset = start.schemaEnd;
  for (;;) {
    const next = readMessage(file, offset);
    if (next === 'end' || next === 'torn') {
      return { ...start, frames, end: offset, closed: next === 'end' };
    }
    const { batch } = next.message;
    if (batch === undefined) return { ...start, frames, end: offset, closed: false };
    frames.push({ offset, bodyOffset: next.bodyOffset, end: next.end, rows: batch.rows });
    offset = next.end;
  }
}

function emptyOrForeign(size: number): string {
  return size === 0
    ? 'is empty: the recorder died before the first write.'
    : 'is not an Arrow stream with a whole schema.';
}
