import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CodedError } from '../model/errors.js';
import { ioError } from './io-error.js';

/** Bytes that can be read by range. */
export interface ByteSource {
  /** Where the bytes come from, for messages. */
  readonly path: string;
  readonly size: number;
  /** @throws CodedError INPUT if the range lies outside */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
}

/** A source that holds a file open. */
export interface OpenSource extends ByteSource {
  close(): void;
}

/** Bytes in memory as a source; reads are views. */
export function memorySource(path: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
  const read = (offset: number, length: number) => {
    if (offset < 0 || length < 0 || offset + length > bytes.length) {
      throw outside(path, offset, length, bytes.length);
    }
    return bytes.subarray(offset, offset + length);
  };
  return { path, size: bytes.length, read };
}

function outside(path: string, offset: number, length: number, size: number): CodedError {
  const message = `is damaged: bytes ${offset}..${offset + length} lie outside the ${size} there are.`;
  return new CodedError('INPUT', message, path);
}

/**
 * A file opened for ranged reads. Its size is taken once, when it is opened, so a
 * segment that still grows is seen as it was at that moment.
 * Reads are synchronous: they hit the page cache or run in a worker thread.
 */
export class RandomFile implements OpenSource {
  readonly path: string;
  readonly size: number;
  #fd: number;

  /** @throws CodedError INPUT if it cannot be opened or is not a regular file */
  constructor(path: string) {
    this.path = path;
    try {
      // O_NONBLOCK: opening a FIFO must not wait for a writer.
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw ioError('INPUT', path, 'open', cause);
    }
    const stat = fstatSync(this.#fd);
    if (!stat.isFile()) {
      this.close();
      const kind = stat.isDirectory() ? 'is a directory' : 'is not a regular file';
      throw new CodedError('INPUT', `${kind}, but a file is needed here.`, path, 'Name a file.');
    }
    this.size = stat.size;
  }

  /** For those who read it themselves, until it is closed. */
  get descriptor(): number {
    return this.#fd;
  }

  /** Exactly `length` bytes from `offset` in memory of their own (8-byte aligned). @throws CodedError INPUT */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw outside(this.path, offset, length, this.size);
    }
    const bytes = new Uint8Array(new ArrayBuffer(length));
    let done = 0;
    while (done < length) {
      const count = this.#readSome(bytes, done, offset);
      if (count === 0) {
        throw new CodedError('INPUT', 'became shorter while it was read.', this.path);
      }
      done += count;
    }
    return bytes;
  }

  #readSome(bytes: Uint8Array, done: number, offset: number): number {
    try {
      return readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
    } catch (cause) {
      throw ioError('INPUT', this.path, 'read', cause);
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
