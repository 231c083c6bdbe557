import { isIdentifier } from '../model/route.js';
import { marksIn } from '../model/secret-mark.js';

/** Tokens read of the headers of one request. */
const MOST_TOKENS = 8;
/** Names whose meaning is remembered. */
const MOST_NAMES = 1000;

/** Names of headers and query keys whose values say who or what a request is about. */
const SUBJECT =
  /(?:^|[-_.])(?:id|ids|uid|uuid|guid|key|ref|reference|number|user|username|account|customer|tenant|session|order|cart|subject|email)$|[a-z](?:Id|ID|Uid|Uuid|Guid|Key|Ref)$/;
/** Identities of traces and requests are read elsewhere (identity.ts). */
const TRACING = /trace|span|parent|request-?id|correlation|^b3$|baggage/;
/** Tokens are written side by side with blanks in between. */
const PLAIN = /^[\x21-\x29\x2b-\x7e]{1,64}$/;
const HEADER_NAME = /^[\w-]{1,64}$/;

const known = new Map<string, boolean>();

/** True where values under this header or query key say who or what a request is about. */
function isSubject(name: string): boolean {
  let is = known.get(name);
  if (is === undefined) {
    is = SUBJECT.test(name) && !TRACING.test(name.toLowerCase());
    if (known.size >= MOST_NAMES) known.clear();
    known.set(name, is);
  }
  return is;
}

/** Short values occur in long ids by chance. */
function isIdentity(value: string, identity: string): boolean {
  return value.length >= 8 && identity.includes(value);
}

/**
 * What the headers of a request carry that may be passed on with calls: marks of secrets, as
 * "name=*mark", and values under names that say who or what it is about, as "name=value".
 *
 * @param headers all values by lower-case name
 * @param identity ids of the trace and of the request, which are no tokens
 * @returns tokens joined by a blank, at most {@link MOST_TOKENS}; '' if none
 */
export function headerTokens(
  headers: ReadonlyMap<string, readonly string[]>,
  identity: string,
): string {
  const tokens: string[] = [];
  for (const [name, values] of headers) {
    if (!HEADER_NAME.test(name)) continue;
    for (const value of values) {
      if (value.includes('*')) {
        for (const mark of marksIn(value)) tokens.push(`${name}=*${mark}`);
      } else if (isSubject(name) && PLAIN.test(value) && !isIdentity(value, identity)) {
        tokens.push(`${name}=${value}`);
      }
    }
  }
  return tokens.slice(0, MOST_TOKENS).join(' ');
}

/**
 * The tokens of a request target: identifiers in its path, as "/place=value" (the first segment has
 * place 1), and of its query what {@link headerTokens} takes of headers, as "?key=value".
 */
export function targetTokens(target: string, identity: string): string[] {
  const tokens: string[] = [];
  const [beforeFragment = ''] = target.split('#', 1);
  const question = beforeFragment.indexOf('?');
  const path = question === -1 ? beforeFragment : beforeFragment.slice(0, question);
  const segments = path.replace(/^[a-z]+:\/\/[^/]*/i, '').split('/');
  for (let place = 1; place < segments.length; place++) {
    const segment = segments[place]!;
    if (isIdentifier(segment) && !isIdentity(segment, identity))
      tokens.push(`/${place}=${segment}`);
  }
  if (question === -1) return tokens;
  for (const pair of beforeFragment.slice(question + 1).split('&')) {
    const equals = pair.indexOf('=');
    if (equals <= 0) continue;
    const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    if (value.includes('*')) for (const mark of marksIn(value)) tokens.push(`?${key}=*${mark}`);
    else if (isSubject(key) && PLAIN.test(value) && !isIdentity(value, identity)) {
      tokens.push(`?${key}=${value}`);
    }
  }
  return tokens;
}
