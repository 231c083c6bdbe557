import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CodedError } from '../model/errors.js';
import { ioError } from '../store/io-error.js';

/** One line of a file, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Longer lines are left out: they would not fit a string. */
const LONGEST_LINE = 256 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Inflates gzip; what came before damage or a cut is delivered before the error. */
async function* inflate(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const ready: Buffer[] = [];
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk));
  const failure = new Promise<Error>((resolve) => gunzip.on('error', resolve));
  const ended = new Promise<undefined>((resolve) => gunzip.once('end', () => resolve(undefined)));
  try {
    for await (const chunk of chunks) {
      const written = new Promise<undefined>((resolve) =>
        gunzip.write(chunk, () => resolve(undefined)),
      );
      const error = await Promise.race([failure, written]);
      yield* ready.splice(0);
      if (error !== undefined) throw error;
    }
    gunzip.end();
    const error = await Promise.race([failure, ended]);
    yield* ready.splice(0);
    if (error !== undefined) throw error;
  } finally {
    gunzip.destroy();
  }
}

/** The file's bytes, inflated if they begin as gzip. */
async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const source: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 256 * 1024 });
  const reader = source[Symbol.asyncIterator]();
  const first = await reader.next();
  if (first.done === true) return;
  async function* all(): AsyncGenerator<Buffer> {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => reader };
  }
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  yield* isGzip ? inflate(all()) : all();
}

function readError(path: string, cause: unknown): CodedError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code === 'Z_BUF_ERROR')
    return new CodedError('INPUT', 'ends in the middle of its gzip data.', path);
  if (typeof code === 'string' && code.startsWith('Z_'))
    return new CodedError('INPUT', 'has damaged gzip data.', path);
  return ioError('INPUT', path, 'read', cause);
}

/**
 * The lines of a file, plain or gzip, told by its first bytes. Memory is bounded by the
 * longest line. A last line without an end counts, unless the file is cut.
 *
 * @param onTooLong told of lines beyond 256 MiB, which are left out
 * @throws CodedError INPUT at the place where the file cannot be read on; lines before it were given
 */
export async function* readLines(
  path: string,
  onTooLong: (line: number) => void,
): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let size = 0;
  let number = 1;
  const take = (): Line | undefined => {
    const line = { number, text: size > LONGEST_LINE ? '' : Buffer.concat(parts).toString('utf8') };
    if (size > LONGEST_LINE) onTooLong(number);
    number++;
    parts = [];
    size = 0;
    return line.text.trim() === '' ? undefined : line;
  };
  const add = (bytes: Buffer) => {
    size += bytes.length;
    if (size <= LONGEST_LINE) parts.push(bytes);
    else parts = [];
  };
  try {
    for await (const chunk of readBytes(path)) {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        add(chunk.subarray(from, end));
        from = end + 1;
        const line = take();
        if (line !== undefined) yield line;
      }
      add(chunk.subarray(from));
    }
    const last = take();
    if (last !== undefined) yield last;
  } catch (cause) {
    throw readError(path, cause);
  }
}
