import { CodedError, describeError } from '../model/errors.js';
import { type Line, readLines } from './read-lines.js';

/** One JSON text of a file. */
export interface JsonDocument {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/** Told of every piece of a file that is left out; line 0 means the file as a whole. */
export type Complain = (line: number, reason: string) => void;

/** Larger documents that are not one per line do not fit a string. */
const LARGEST_DOCUMENT = 500 * 1024 * 1024;

/** A parsed text; undefined if it is no JSON (no JSON text parses to that). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** One document over many lines; if it is none, then whatever lines are documents. */
function* wholeDocument(lines: readonly Line[], complain: Complain): Generator<JsonDocument> {
  const text = lines.map((line) => line.text).join('\n');
  const whole = parseJson(text);
  if (whole !== undefined) {
    yield { line: lines[0]!.number, value: whole };
    return;
  }
  const parsed = lines.map((line) => ({ line: line.number, value: parseJson(line.text) }));
  if (!parsed.some(({ value }) => isStructure(value) && Object.keys(value).length > 0)) {
    complain(lines[0]!.number, 'is not JSON, nor JSON lines.');
    return;
  }
  for (const { line, value } of parsed) {
    if (value === undefined) complain(line, 'is not JSON.');
    else yield { line, value };
  }
}

/** Lines with the error that ends them told to `complain`, so that what was read is kept. */
async function* tolerant(path: string, complain: Complain): AsyncGenerator<Line> {
  let last = 0;
  try {
    for await (const line of readLines(path, (number) => complain(number, 'is too long.'))) {
      last = line.number;
      yield line;
    }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // A file that cannot be opened is no matter of its lines.
    if (error.place === path && last === 0) complain(0, reasonOf(error));
    else complain(last + 1, reasonOf(error));
  }
}

function reasonOf(error: CodedError): string {
  return describeError(new CodedError(error.code, error.message, '', error.remedy));
}

/**
 * The JSON documents of a file, plain or gzip: one per line as they come, or a single
 * one over many lines (which must fit the memory). What is not JSON is told, and left out.
 */
export async function* readDocuments(
  path: string,
  complain: Complain,
): AsyncGenerator<JsonDocument> {
  const held: Line[] = [];
  let size = 0;
  let mode: 'unknown' | 'lines' | 'document' = 'unknown';
  for await (const line of tolerant(path, complain)) {
    // A byte order mark is no JSON.
    const text = line.number === 1 ? line.text.replace(/^\uFEFF/, '') : line.text;
    const value = mode === 'document' ? undefined : parseJson(text);
    if (mode === 'lines' || (mode === 'unknown' && isStructure(value))) {
      // A first line that is no JSON, before lines that are, is bad alone.
      for (const { number } of held.splice(0)) complain(number, 'is not JSON.');
      mode = 'lines';
      if (value === undefined) complain(line.number, 'is not JSON.');
      else yield { line: line.number, value };
      continue;
    }
    held.push({ number: line.number, text });
    size += text.length;
    if (held.length > 1 || /^[[{]\s*$/.test(text)) mode = 'document';
    if (size > LARGEST_DOCUMENT) {
      complain(held[0]!.number, 'is one document of more than 500 MiB: write one trace per line.');
      return;
    }
  }
  if (held.length > 0) yield* wholeDocument(held, complain);
}
