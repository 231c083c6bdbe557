import { readIdentity } from './identity.js';
import { headerTokens } from './tokens.js';

/** Header lines beyond this many are not looked at. */
const MOST_LINES = 256;
/** Methods, targets and values longer than this are cut. */
const LONGEST_TEXT = 8192;

/** How the end of a body is told (RFC 9112, section 6.3). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }
  | { readonly kind: 'tunnel' }
  /** The head was cut or contradicts itself: the end cannot be known from it. */
  | { readonly kind: 'unknown' };

/** What aftertrace needs of a message head. */
export interface Head {
  readonly kind: 'request' | 'response';
  /** Requests; '' for a response. */
  readonly method: string;
  readonly target: string;
  /** Responses, 100..599; 0 for a request or where it is not a number. */
  readonly status: number;
  readonly authority: string;
  /** Content-Length; -1 absent, -2 contradictory or not a number. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** Transfer-Encoding is present but its last coding is not chunked. */
  readonly otherCoding: boolean;
  readonly upgrade: boolean;
  /** "kind:traceId:parentId" tokens, space-separated. */
  readonly traceContext: string;
  readonly requestId: string;
  /** Requests: what its headers carry that may be passed on, "name=value", space-separated. */
  readonly tokens: string;
  /** False where the head was cut before its end. */
  readonly complete: boolean;
  /** The start line or a header line is not of the form that RFC 9112 gives. */
  readonly malformed: boolean;
}

const LATIN1 = new TextDecoder('latin1');

function splitLines(text: string): string[] {
  const lines: string[] = [];
  for (const raw of text.split('\n', MOST_LINES + 1)) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    // Obsolete line folding: a continuation belongs to the line before (RFC 9112, 5.2).
    if ((line.startsWith(' ') || line.startsWith('\t')) && lines.length > 1) {
      lines[lines.length - 1] += ` ${line.trim()}`;
    } else lines.push(line);
  }
  return lines;
}

function parseLength(values: readonly string[]): number {
  if (values.length === 0) return -1;
  const numbers = values.flatMap((value) => value.split(',')).map((value) => value.trim());
  const [first] = numbers;
  if (first === undefined || !/^\d{1,15}$/.test(first)) return -2;
  return numbers.every((number) => number === first) ? Number(first) : -2;
}

function parseStartLine(
  line: string,
): Pick<Head, 'kind' | 'method' | 'target' | 'status' | 'malformed'> {
  const response = /^HTTP\/1\.\d (\d{3})(?: |$)/.exec(line);
  if (line.startsWith('HTTP/1.')) {
    const status = response === null ? 0 : Number(response[1]);
    return { kind: 'response', method: '', target: '', status, malformed: status < 100 };
  }
  const [method = '', target = '', version] = line.split(' ');
  const malformed = version === undefined || !version.startsWith('HTTP/1.');
  return { kind: 'request', method, target: target.slice(0, LONGEST_TEXT), status: 0, malformed };
}

/**
 * Parses a captured head, which may be cut anywhere. Never throws: what cannot be
 * understood is left out and marked.
 *
 * @param bytes from the first byte of the start line; may include the empty line
 * @param complete false where bytes of the head are missing at the end
 */
export function parseHead(bytes: Uint8Array, complete: boolean): Head {
  const lines = splitLines(LATIN1.decode(bytes));
  // The last line of a cut head is not whole: its value must not be believed.
  const whole = complete ? lines : lines.slice(0, -1);
  const start = parseStartLine(lines[0] ?? '');
  const values = new Map<string, string[]>();
  let malformed = start.malformed;
  for (const line of whole.slice(1, MOST_LINES)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) {
      malformed = true;
      continue;
    }
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line
      .slice(colon + 1)
      .trim()
      .slice(0, LONGEST_TEXT);
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  const first = (name: string) => values.get(name)?.[0] ?? '';
  const codings = (values.get('transfer-encoding') ?? []).join(',').toLowerCase().split(',');
  const last = codings.at(-1)?.trim() ?? '';
  const identity = readIdentity((name) => values.get(name) ?? []);
  const ids = `${identity.traceContext} ${identity.requestId}`;
  return {
    ...start,
    authority: first('host').slice(0, 255),
    contentLength: parseLength(values.get('content-length') ?? []),
    chunked: last === 'chunked',
    otherCoding: last !== '' && last !== 'chunked' && last !== 'identity',
    upgrade: first('upgrade') !== '',
    ...identity,
    tokens: start.kind === 'request' ? headerTokens(values, ids) : '',
    complete,
    malformed,
  };
}

/** How the body of a request is framed. */
export function requestFraming(head: Head): Framing {
  if (!head.complete) return { kind: 'unknown' };
  if (head.chunked) return { kind: 'chunked' };
  if (head.contentLength === -2 || head.otherCoding) return { kind: 'unknown' };
  if (head.contentLength > 0) return { kind: 'length', bytes: head.contentLength };
  return { kind: 'none' };
}

/**
 * How the body of a response is framed.
 *
 * @param method method of the request it answers; '' unknown
 */
export function responseFraming(head: Head, method: string): Framing {
  const { status } = head;
  if (status === 101) return { kind: 'tunnel' };
  if (status >= 100 && status < 200) return { kind: 'none' };
  if (status === 204 || status === 304 || method === 'HEAD') return { kind: 'none' };
  if (method === 'CONNECT' && status >= 200 && status < 300) return { kind: 'tunnel' };
  if (!head.complete) return { kind: 'unknown' };
  if (head.chunked) return { kind: 'chunked' };
  if (head.otherCoding) return { kind: 'until-close' };
  if (head.contentLength === -2) return { kind: 'unknown' };
  if (head.contentLength === 0) return { kind: 'none' };
  if (head.contentLength > 0) return { kind: 'length', bytes: head.contentLength };
  return { kind: 'until-close' };
}
