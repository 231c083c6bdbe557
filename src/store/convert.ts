import { unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { EVENT_COLUMNS } from '../model/batch.js';
import type { ColumnSpec } from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import { TOOL } from '../model/tool.js';
import { type EncodeError, encodeSegment, isEncodeError } from '../native/encode-segment.js';
import type { ArrowSchema } from './arrow-message.js';
import { columnTypeOf } from './arrow-schema.js';
import { DurableFile, syncDirectory } from './durable-file.js';
import { packMetadata } from './file-metadata.js';
import { ioError, isErrno } from './io-error.js';
import { readPartStart } from './part-file.js';
import { RandomFile } from './random-file.js';
import { headerToMetadata } from './segment-header.js';
import { closedPath } from './segment-name.js';

export interface ClosedSegment {
  readonly path: string;
  readonly rows: number;
  /** Bytes of the open segment behind its last whole batch, which are lost. */
  readonly tornBytes: number;
}

function encodedColumns(schema: ArrowSchema) {
  const specs: [string, ColumnSpec][] = Object.entries(EVENT_COLUMNS);
  return specs.map(([name, { type, encoding = 'dictionary', nullable = false }]) => ({
    name,
    type,
    encoding,
    nullable,
    source: schema.fields.findIndex((field) => field.name === name),
  }));
}

function inputTypes(schema: ArrowSchema, path: string): string[] {
  return schema.fields.map(({ name, type }) => {
    const found = columnTypeOf(type);
    if (found !== undefined) return found;
    throw new CodedError('INPUT', `has column ${name} as ${type}: not a file of aftertrace.`, path);
  });
}

/** Errors of the addon as those of the house: what is wrong with which of the two files. */
function codedError(error: EncodeError, partPath: string, target: string): CodedError {
  const path = error.file === 'input' ? partPath : target;
  const code = error.file === 'input' ? 'INPUT' : 'OUTPUT';
  if (error.code !== '') return ioError(code, path, 'convert the segment', error);
  return new CodedError(code, `${error.message}.`, path, '', error);
}

/**
 * Turns an open segment into a closed one: `<name>.part` (Arrow stream, cut at its last
 * whole batch) -> `<name>.parquet`, then removes the `.part`. Doing it again after a
 * crash at any point gives the same file. The work is done by the addon in a thread of low
 * priority; memory is bounded by one row group.
 *
 * @throws CodedError INPUT if the segment cannot be read, OUTPUT if the new one cannot
 *   be written; the `.part` is then still there
 */
export async function convertSegment(partPath: string): Promise<ClosedSegment> {
  const file = new RandomFile(partPath);
  const path = closedPath(partPath);
  try {
    const { schema, schemaEnd, header } = readPartStart(file);
    const out = new DurableFile(path);
    try {
      const { rows, tornBytes } = await encodeSegment({
        input: file.descriptor,
        output: out.descriptor,
        dataStart: schemaEnd,
        inputTypes: inputTypes(schema, partPath),
        columns: encodedColumns(schema),
        metadata: Object.entries(packMetadata(headerToMetadata(header))),
        createdBy: TOOL,
      });
      out.commit();
      removePart(partPath);
      return { path, rows, tornBytes };
    } catch (cause) {
      out.abandon();
      throw isEncodeError(cause) ? codedError(cause, partPath, path) : cause;
    }
  } finally {
    file.close();
  }
}

function removePart(partPath: string): void {
  try {
    unlinkSync(partPath);
    syncDirectory(dirname(partPath));
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw ioError('OUTPUT', partPath, 'remove', cause);
  }
}

/** {@link convertSegment}, one segment after the other. */
export class SegmentConverter {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws CodedError as {@link convertSegment} */
  convert(partPath: string): Promise<ClosedSegment> {
    const result = this.#last.then(() => convertSegment(partPath));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Waits for the segments in work. */
  async close(): Promise<void> {
    await this.#last;
  }
}
