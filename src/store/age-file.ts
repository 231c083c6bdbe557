import { CodedError } from '../model/errors.js';
import {
  CHUNK,
  type Envelope,
  headerBytes,
  type Identities,
  openChunk,
  openEnvelope,
  SEALED_CHUNK,
} from './age.js';
import { type OpenSource, RandomFile } from './random-file.js';
import { isEncrypted } from './segment-name.js';

/** What an age file holds, in the clear, read by ranges. One whose writer died ends with its last whole chunk. */
export class AgeFile implements OpenSource {
  readonly path: string;
  readonly size: number;
  readonly #file: RandomFile;
  readonly #envelope: Envelope;
  #cached: { readonly index: number; readonly bytes: Uint8Array } | undefined;

  constructor(file: RandomFile, envelope: Envelope) {
    this.path = file.path;
    this.#file = file;
    this.#envelope = envelope;
    const payload = file.size - envelope.header.length;
    const whole = Math.floor(payload / SEALED_CHUNK);
    const rest = payload % SEALED_CHUNK;
    const last = rest === 0 ? undefined : this.#open(whole, rest);
    this.size = whole * CHUNK + (last?.length ?? 0);
  }

  #open(index: number, length: number): Uint8Array | undefined {
    const at = this.#envelope.header.length + index * SEALED_CHUNK;
    const sealed = this.#file.read(at, length);
    const isLast = at + length === this.#file.size;
    const { key } = this.#envelope;
    return (
      openChunk(key, index, false, sealed) ??
      (isLast ? openChunk(key, index, true, sealed) : undefined)
    );
  }

  #chunk(index: number): Uint8Array {
    if (this.#cached?.index === index) return this.#cached.bytes;
    const at = this.#envelope.header.length + index * SEALED_CHUNK;
    const bytes = this.#open(index, Math.min(SEALED_CHUNK, this.#file.size - at));
    if (bytes === undefined) {
      const message = `is damaged: bytes ${at}.. are not what was encrypted.`;
      throw new CodedError('INPUT', message, this.path);
    }
    this.#cached = { index, bytes };
    return bytes;
  }

  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      const message = `is damaged: bytes ${offset}..${offset + length} lie outside.`;
      throw new CodedError('INPUT', message, this.path);
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const from = (offset + done) % CHUNK;
      const chunk = this.#chunk(Math.floor((offset + done) / CHUNK));
      const part = chunk.subarray(from, from + length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Opens a file for reading, whether it is encrypted or not.
 * @throws CodedError INPUT if it cannot be opened, or none of the identities can read it
 */
export async function openSource(path: string, identities: Identities = []): Promise<OpenSource> {
  const file = new RandomFile(path);
  if (!isEncrypted(path)) return file;
  try {
    const start = file.read(0, headerBytes(file.size));
    return new AgeFile(file, await openEnvelope(start, identities, path));
  } catch (error) {
    file.close();
    throw error;
  }
}
