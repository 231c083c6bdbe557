import { loadAddon } from './addon.js';

/** A column of the closed segment. */
interface EncodedColumn {
  readonly name: string;
  readonly type: string;
  readonly encoding: 'dictionary' | 'delta' | 'plain';
  readonly nullable: boolean;
  /** Its place among the columns of the open segment; -1 where that lacks it. */
  readonly source: number;
}

/** How a file is encrypted with age: what it begins with, and the key of its payload (32 bytes). */
interface Envelope {
  readonly header: Uint8Array;
  readonly key: Uint8Array;
}

export interface EncodeOptions {
  /** Descriptors: of the open segment for reading, of an empty file for writing. */
  readonly input: number;
  readonly output: number;
  /** undefined where they are not encrypted. */
  readonly inputEnvelope: Envelope | undefined;
  readonly outputEnvelope: Envelope | undefined;
  /** Where the record batches begin. */
  readonly dataStart: number;
  /** Types of the columns of the open segment, in its order. */
  readonly inputTypes: readonly string[];
  readonly columns: readonly EncodedColumn[];
  /** Key-value metadata of the closed segment. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
  readonly createdBy: string;
}

export interface EncodeResult {
  readonly rows: number;
  /** Size of the file. */
  readonly bytes: number;
  /** Bytes of the open segment behind its last whole batch. */
  readonly tornBytes: number;
  /** Of the file's bytes. */
  readonly sha256: Buffer;
}

/** What the addon rejects with: which file it is about, and the name of the errno, '' if none. */
export interface EncodeError extends Error {
  readonly file: 'input' | 'output';
  readonly code: string;
}

export function isEncodeError(error: unknown): error is EncodeError {
  return error instanceof Error && 'file' in error;
}

/**
 * Turns the batches of an Arrow IPC stream into a Parquet file and syncs it, in a thread of low
 * priority; memory is bounded by one row group.
 *
 * @throws EncodeError, CodedError as {@link loadAddon}
 */
export function encodeSegment(options: EncodeOptions): Promise<EncodeResult> {
  const addon = loadAddon() as { encodeSegment(options: EncodeOptions): Promise<EncodeResult> };
  return addon.encodeSegment(options);
}
