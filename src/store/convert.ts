import { renameSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EVENT_COLUMNS } from '../model/batch.js';
import type { ColumnSpec } from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import { TOOL } from '../model/tool.js';
import { type EncodeError, encodeSegment, isEncodeError } from '../native/encode-segment.js';
import type { Envelope, Recipients } from './age.js';
import { AgeFile } from './age-file.js';
import type { ArrowSchema } from './arrow-message.js';
import { columnTypeOf } from './arrow-schema.js';
import { type ChainLink, linkOf, linksToMetadata, readHead, writeHead } from './chain.js';
import { DurableFile, syncDirectory } from './durable-file.js';
import { packMetadata } from './file-metadata.js';
import { ioError, isErrno } from './io-error.js';
import { readPartStart } from './part-file.js';
import { RandomFile } from './random-file.js';
import { headerToMetadata } from './segment-header.js';
import { closedPath, isEncrypted, leftPath } from './segment-name.js';

export interface ClosedSegment {
  readonly path: string;
  /** undefined where it is encrypted and cannot be read here. */
  readonly rows: number | undefined;
  /** Bytes of the open segment behind its last whole batch, which are lost. */
  readonly tornBytes: number;
  readonly bytes: number;
  /** Of the file's bytes, in hex. */
  readonly sha256: string;
}

/** How an encrypted segment is read, and written again. */
export interface SegmentKeys {
  readonly open: Envelope;
  readonly closed: Envelope;
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
 * whole batch) -> `<name>.parquet`, linked to the one closed before it, then removes the `.part`.
 * Doing it again after a crash at any point gives the same file. The work is done by the addon in a
 * thread of low priority; memory is bounded by one row group. An encrypted segment without its
 * keys becomes a closed one as it is.
 *
 * Only one conversion at a time for each directory: they make up a chain.
 *
 * @throws CodedError INPUT if the segment cannot be read, OUTPUT if the new one cannot
 *   be written; the `.part` is then still there
 */
export async function convertSegment(partPath: string, keys?: SegmentKeys): Promise<ClosedSegment> {
  const path = closedPath(partPath);
  const directory = dirname(partPath);
  const before = readHead(directory);
  const finished = await finishedBefore(path, before);
  if (finished !== undefined) {
    removePart(partPath);
    return finished;
  }
  if (isEncrypted(partPath) && keys === undefined) return keepEncrypted(partPath, before);
  const closed = await encode(partPath, path, before, keys);
  writeHead(directory, [{ name: basename(path), sha256: closed.sha256 }]);
  removePart(partPath);
  return closed;
}

/**
 * A crash after the closed segment got its name: it is whole, and perhaps not in the chain yet.
 * @returns undefined if there is none
 */
async function finishedBefore(
  path: string,
  before: readonly ChainLink[],
): Promise<ClosedSegment | undefined> {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (size === undefined) return undefined;
  const rows = isEncrypted(path) ? undefined : await countRows(path);
  const link = await linkOf(path);
  if (before.at(-1)?.name !== link.name) writeHead(dirname(path), [link]);
  return { path, rows, tornBytes: 0, bytes: size, sha256: link.sha256 };
}

async function countRows(path: string): Promise<number> {
  // Loaded only where it is wanted: it costs memory.
  const { ParquetReader } = await import('./parquet-file.js');
  const reader = new ParquetReader(path);
  reader.close();
  return reader.footer.rows;
}

async function encode(
  partPath: string,
  path: string,
  before: readonly ChainLink[],
  keys: SegmentKeys | undefined,
): Promise<ClosedSegment> {
  const file = new RandomFile(partPath);
  try {
    const { schema, schemaEnd, header } = readPartStart(
      keys === undefined ? file : new AgeFile(file, keys.open),
    );
    const out = new DurableFile(path);
    try {
      const metadata = { ...headerToMetadata(header), ...linksToMetadata(before) };
      const { rows, tornBytes, bytes, sha256 } = await encodeSegment({
        input: file.descriptor,
        output: out.descriptor,
        inputEnvelope: keys?.open,
        outputEnvelope: keys?.closed,
        dataStart: schemaEnd,
        inputTypes: inputTypes(schema, partPath),
        columns: encodedColumns(schema),
        metadata: Object.entries(packMetadata(metadata)),
        createdBy: TOOL,
      });
      out.commit();
      return { path, rows, tornBytes, bytes, sha256: sha256.toString('hex') };
    } catch (cause) {
      out.abandon();
      throw isEncodeError(cause) ? codedError(cause, partPath, path) : cause;
    }
  } finally {
    file.close();
  }
}

/** What a killed recorder left can be read by its recipients only: it stays as it is, under another name. */
async function keepEncrypted(
  partPath: string,
  before: readonly ChainLink[],
): Promise<ClosedSegment> {
  const path = leftPath(partPath);
  const directory = dirname(partPath);
  const { size } = statSync(partPath);
  const { sha256 } = await linkOf(partPath);
  const link = { name: basename(path), sha256 };
  // It says nothing of those before it, so that they stay in the list.
  if (before.at(-1)?.name !== link.name) writeHead(directory, [...before, link]);
  try {
    renameSync(partPath, path);
    syncDirectory(directory);
  } catch (cause) {
    throw ioError('OUTPUT', path, 'rename the segment', cause);
  }
  return { path, rows: undefined, tornBytes: 0, bytes: size, sha256 };
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
  readonly #recipients: Recipients | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param recipients who may read closed segments whose open one was encrypted */
  constructor(recipients?: Recipients) {
    this.#recipients = recipients;
  }

  /** @param open the key of an encrypted segment @throws CodedError as {@link convertSegment} */
  convert(partPath: string, open?: Envelope): Promise<ClosedSegment> {
    const result = this.#last.then(async () => {
      const closed = open === undefined ? undefined : await this.#recipients?.seal();
      const keys = open === undefined || closed === undefined ? undefined : { open, closed };
      return convertSegment(partPath, keys);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Waits for the segments in work. */
  async close(): Promise<void> {
    await this.#last;
  }
}
