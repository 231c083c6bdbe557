import type { ColumnArrays, ColumnSpecs, ColumnType } from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import { decodeBatch } from './arrow-columns.js';
import { type Frame, readMessage } from './arrow-frames.js';
import type { ArrowSchema } from './arrow-message.js';
import type { ByteSource } from './random-file.js';

/** Below this size one read of the whole body is cheaper than one per column. */
const SMALL_BODY = 1024 * 1024;

/** Reads the columns `names` of one frame of an Arrow stream file. @throws CodedError INPUT */
export function readFrame(
  file: ByteSource,
  schema: ArrowSchema,
  frame: Frame,
  place: string,
  specs: ColumnSpecs,
  names: readonly string[],
): Record<string, ColumnArrays[ColumnType] | number> {
  const found = readMessage(file, frame.offset);
  const batch = typeof found === 'string' ? undefined : found.message.batch;
  if (typeof found === 'string' || batch === undefined) {
    throw new CodedError('INPUT', `is damaged in ${place}.`, file.path);
  }
  const bodyLength = found.end - found.bodyOffset;
  const whole =
    bodyLength <= SMALL_BODY && names.length > 4
      ? file.read(found.bodyOffset, bodyLength)
      : undefined;
  const read = (offset: number, length: number) => {
    if (offset < 0 || length < 0 || offset + length > bodyLength) {
      throw new CodedError('INPUT', `is damaged in ${place}: a buffer lies outside.`, file.path);
    }
    return whole === undefined
      ? file.read(found.bodyOffset + offset, length)
      : whole.subarray(offset, offset + length);
  };
  return decodeBatch(schema, batch, specs, names, { path: file.path, place, read });
}
