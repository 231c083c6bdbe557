import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, rmSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import { CodedError } from '../model/errors.js';
import type { SegmentHeader } from '../model/segment.js';
import { CHUNK, type Envelope, sealChunk } from './age.js';
import { END_OF_STREAM } from './arrow-frames.js';
import { schemaFrame } from './arrow-schema.js';
import { createDirectory, createFile, syncDirectory, writeFully } from './durable-file.js';
import { packMetadata } from './file-metadata.js';
import { FrameEncoder } from './frame-encoder.js';
import { ioError } from './io-error.js';
import { headerToMetadata } from './segment-header.js';
import { openName, segmentBaseName } from './segment-name.js';

/**
 * The open segment: an Arrow IPC stream that grows by whole batches. When the writer
 * dies, everything up to the last whole batch can be read; a power cut costs what was
 * appended after the last {@link sync}. Every method is synchronous.
 */
export class SegmentWriter {
  readonly path: string;
  /** The key of the file if it is encrypted. */
  readonly envelope: Envelope | undefined;
  readonly #fd: number;
  /** Chunks sealed so far. */
  #chunks = 0;
  readonly #encoder = new FrameEncoder(EVENT_COLUMNS);
  #rows = 0;
  #bytes = 0;
  #closed = false;
  #failed = false;

  /**
   * Creates the directory (0700) if needed and a new `.part` file (0600) in it.
   * @param envelope to encrypt it; every frame then fills whole chunks, so that none waits in memory
   * @throws CodedError OUTPUT
   */
  static open(directory: string, header: SegmentHeader, envelope?: Envelope): SegmentWriter {
    const path = join(directory, openName(segmentBaseName(header), envelope !== undefined));
    let fd = -1;
    try {
      createDirectory(directory);
      fd = createFile(path);
      const writer = new SegmentWriter(path, fd, header, envelope);
      syncDirectory(directory);
      return writer;
    } catch (cause) {
      // A full disk lets the file be made but not filled; the caller tries again every second.
      if (fd !== -1) {
        closeSync(fd);
        rmSync(path, { force: true });
      }
      throw ioError('OUTPUT', path, 'create the segment', cause);
    }
  }

  private constructor(
    path: string,
    fd: number,
    header: SegmentHeader,
    envelope: Envelope | undefined,
  ) {
    this.path = path;
    this.#fd = fd;
    this.envelope = envelope;
    const metadata = packMetadata(headerToMetadata(header));
    if (envelope !== undefined) this.#writeRaw([envelope.header]);
    this.#write([schemaFrame(EVENT_COLUMNS, metadata, this.#alignment)], 'more');
  }

  /** Events appended so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Size of the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends the batch as one frame and returns its bytes. If it cannot be written in
   * full, the file is cut back to what it held before: the batch is lost, the rest stays
   * readable, and a later append may succeed (not to an encrypted file: its place in the
   * key stream must not be used twice). @throws CodedError OUTPUT
   */
  append(batch: Batch): number {
    if (batch.rows === 0) return 0;
    if (this.#isSpent) {
      throw new CodedError('OUTPUT', 'failed before, and takes no more.', this.path);
    }
    const bytes = this.#write(this.#encoder.encode(batch, this.#alignment), 'more');
    this.#rows += batch.rows;
    return bytes;
  }

  get #isSpent(): boolean {
    return this.#failed && this.envelope !== undefined;
  }

  get #alignment(): number {
    return this.envelope === undefined ? 8 : CHUNK;
  }

  #write(parts: readonly Uint8Array[], follows: 'more' | 'nothing'): number {
    if (this.envelope === undefined) return this.#writeRaw(parts);
    const bytes = Buffer.concat(parts);
    const sealed: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const isLast = follows === 'nothing' && at + CHUNK >= bytes.length;
      const chunk = bytes.subarray(at, at + CHUNK);
      sealed.push(...sealChunk(this.envelope.key, this.#chunks++, isLast, chunk));
    }
    return this.#writeRaw(sealed);
  }

  #writeRaw(chunks: readonly Uint8Array[]): number {
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    try {
      const written = writevSync(this.#fd, chunks, this.#bytes);
      if (written < size) {
        const rest = Buffer.concat(chunks).subarray(written);
        writeFully(this.#fd, rest, this.#bytes + written);
      }
    } catch (cause) {
      this.#cutBack();
      this.#failed = true;
      throw ioError('OUTPUT', this.path, 'write', cause);
    }
    this.#bytes += size;
    return size;
  }

  #cutBack(): void {
    try {
      ftruncateSync(this.#fd, this.#bytes);
    } catch {
      // The next append writes at the same position; readers stop at the torn frame.
    }
  }

  /**
   * Makes what was appended survive a power cut. Also notices that somebody deleted
   * the file, which writes do not. @throws CodedError OUTPUT
   */
  sync(): void {
    try {
      fdatasyncSync(this.#fd);
    } catch (cause) {
      throw ioError('OUTPUT', this.path, 'write to the disk', cause);
    }
    if (fstatSync(this.#fd).nlink === 0) {
      const remedy = 'Do not delete files of a running recorder; it keeps to its retention limits.';
      throw new CodedError('OUTPUT', 'was deleted while it was written.', this.path, remedy);
    }
  }

  /** Ends the stream, syncs and closes the file; returns its path. Closing again does nothing. */
  close(): string {
    if (this.#closed) return this.path;
    this.#closed = true;
    try {
      if (!this.#isSpent) this.#write([END_OF_STREAM], 'nothing');
      this.sync();
    } finally {
      closeSync(this.#fd);
    }
    return this.path;
  }
}
