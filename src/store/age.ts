/**
 * Encryption at rest in the age format, for tools of others to read (`age --decrypt`). Headers and
 * keys are the library's work; the payload, sealed in chunks that can be read in any order, is
 * done with Node's own ChaCha20-Poly1305, which is many times faster.
 * https://github.com/C2SP/C2SP/blob/main/age.md
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { CodedError } from '../model/errors.js';
import { ioError } from './io-error.js';

/** What an age file begins with (its header and nonce), and the key of its payload. */
export interface Envelope {
  readonly header: Uint8Array;
  readonly key: Uint8Array;
}

/** Bytes of the payload that are sealed together; the last chunk may be shorter. */
export const CHUNK = 64 * 1024;
const TAG = 16;
/** A chunk as it lies in the file. */
export const SEALED_CHUNK = CHUNK + TAG;
const NONCE = 16;
const CIPHER = 'chacha20-poly1305';
/** Bytes that a header may have: one of many recipients has a few thousand. */
const MOST_HEADER = 64 * 1024;

/** Loaded at the first use: most runs encrypt nothing. */
const library = () => import('age-encryption');

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** The lines of a key file, or the text itself where it begins like a key. */
function keyLines(text: string, prefix: RegExp, what: string): string[] {
  const isFile = !prefix.test(text) && existsSync(text);
  let lines = [text];
  if (isFile) {
    try {
      lines = readFileSync(text, 'utf8').split(/\r?\n/);
    } catch (cause) {
      throw ioError('INPUT', text, `read the ${what}`, cause);
    }
  }
  const keys = lines.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '#');
  const isBad = keys.length === 0 || keys.some((key) => !prefix.test(key));
  if (isBad) {
    const form = what === 'identity' ? 'AGE-SECRET-KEY-1...' : 'age1...';
    throw new CodedError('USAGE', `is neither an age ${what} (${form}) nor a file of such.`, text);
  }
  return keys;
}

/** Who may read what is written. */
export class Recipients {
  readonly #keys: readonly string[];

  /** @param texts `age1...` each, or files with one a line @throws CodedError USAGE, INPUT */
  constructor(texts: readonly string[]) {
    this.#keys = texts.flatMap((text) => keyLines(text, /^age1/, 'recipient'));
  }

  /** The beginning of a new file, with a key of its own. @throws CodedError USAGE for a key that is none */
  async seal(): Promise<Envelope> {
    const { Encrypter } = await library();
    let fileKey: Uint8Array | undefined;
    try {
      const encrypter = new Encrypter();
      for (const key of this.#keys) encrypter.addRecipient(key);
      // Adds nothing to the header: takes the key that the payload is sealed with.
      encrypter.addRecipient({
        wrapFileKey: (key) => {
          fileKey = key.slice();
          return [];
        },
      });
      const empty = await encrypter.encrypt(new Uint8Array(0));
      const header = empty.slice(0, empty.length - TAG);
      return { header, key: payloadKey(fileKey!, header.subarray(-NONCE)) };
    } catch (cause) {
      const message = `cannot be encrypted to: ${(cause as Error).message}.`;
      throw new CodedError('USAGE', message, this.#keys.join(' '), '', cause);
    }
  }
}

/** Keys that can read what was encrypted. As texts, so that they can be handed to other threads. */
export type Identities = readonly string[];

/** @param texts `AGE-SECRET-KEY-1...` each, or files with one a line @throws CodedError USAGE, INPUT */
export function readIdentities(texts: readonly string[]): Identities {
  return texts.flatMap((text) => keyLines(text, /^AGE-SECRET-KEY-/, 'identity'));
}

/** End of the header's text: its last line begins with `---`. -1 if there is none. */
function endOfHeader(start: Uint8Array): number {
  const text = Buffer.from(start.buffer, start.byteOffset, start.length).toString('latin1');
  const last = text.indexOf('\n--- ');
  const end = last === -1 ? -1 : text.indexOf('\n', last + 1);
  return end === -1 ? -1 : end + 1;
}

/**
 * Opens an age file by its first bytes ({@link MOST_HEADER}, or all it has).
 * @throws CodedError INPUT if it is none, or none of the identities can read it
 */
export async function openEnvelope(
  start: Uint8Array,
  identities: Identities,
  path: string,
): Promise<Envelope> {
  const end = endOfHeader(start);
  if (end === -1 || start.length < end + NONCE) {
    throw new CodedError('INPUT', 'is not a whole age file.', path);
  }
  if (identities.length === 0) {
    throw new CodedError('INPUT', 'is encrypted.', path, 'Name the key with --identity FILE.');
  }
  const { Decrypter } = await library();
  try {
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    const header = start.slice(0, end + NONCE);
    const fileKey = await decrypter.decryptHeader(start.slice(0, end));
    return { header, key: payloadKey(fileKey, header.subarray(-NONCE)) };
  } catch (cause) {
    const message = `cannot be decrypted: ${(cause as Error).message}.`;
    throw new CodedError('INPUT', message, path, 'Name the right key with --identity FILE.', cause);
  }
}

/** How many bytes of a file {@link openEnvelope} wants to see. */
export function headerBytes(size: number): number {
  return Math.min(size, MOST_HEADER);
}

/** The number of the chunk, big-endian in eleven bytes, then 1 for the last. */
function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** The chunk as it is stored, in parts. */
export function sealChunk(
  key: Uint8Array,
  index: number,
  last: boolean,
  chunk: Uint8Array,
): readonly Uint8Array[] {
  const cipher = createCipheriv(CIPHER, key, nonceOf(index, last), { authTagLength: TAG });
  const sealed = cipher.update(chunk);
  cipher.final();
  return [sealed, cipher.getAuthTag()];
}

/** The chunk in the clear; undefined if it is not what was sealed at this place. */
export function openChunk(
  key: Uint8Array,
  index: number,
  last: boolean,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG) return undefined;
  const nonce = nonceOf(index, last);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(0, sealed.length - TAG)),
      decipher.final(),
    ]);
  } catch {
    return undefined;
  }
}
