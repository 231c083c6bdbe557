const ZERO = 0x30;
const NINE = 0x39;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const HASH = 0x23;
const LETTER_V = 0x76;

/** From how many characters on lower-case hexadecimal digits are an identifier. */
const LEAST_HEX = 8;
/** The length of a UUID, and of its first part. */
const LEAST_UUID = 36;
const UUID_PART = 8;
/** Behind how many characters after its first digit a name is an identifier. */
const LEAST_TAIL = 7;

const isDigit = (code: number) => code >= ZERO && code <= NINE;
const isHexLetter = (code: number) => code >= 0x61 && code <= 0x66;
const isLetter = (code: number) => code < 0x80 && (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

/** Eight digits, then a dash. */
function beginsLikeUuid(text: string, from: number): boolean {
  for (let at = from; at < from + UUID_PART; at++) if (text.charCodeAt(at) === DASH) return false;
  return text.charCodeAt(from + UUID_PART) === DASH;
}

/**
 * Whether a path segment names a thing rather than a kind of thing: a number, hexadecimal digits,
 * a UUID, a long name with digits in it, or a word with a number behind it. The version of an API
 * (`v2`) is none. Scanned by hand: most targets are seen once, and there is one per exchange.
 */
export function isIdentifier(text: string, from = 0, to = text.length): boolean {
  const length = to - from;
  let firstDigit = -1;
  let isHex = true;
  let isHexOrDash = true;
  /** Letters, at most one dash behind them, then digits and nothing else. */
  let isNumbered = true;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) {
      if (firstDigit === -1) firstDigit = at;
      continue;
    }
    if (firstDigit !== -1) isNumbered = false;
    if (isHexLetter(code)) continue;
    isHex = false;
    if (code === DASH) {
      const isBetween = at > from && at + 1 < to && isDigit(text.charCodeAt(at + 1));
      if (!isBetween) isNumbered = false;
      continue;
    }
    isHexOrDash = false;
    if (code === UNDERSCORE) isNumbered = false;
    else if (!isLetter(code)) return false;
  }
  if (isHex && length >= LEAST_HEX) return true;
  if (isHexOrDash && length >= LEAST_UUID && beginsLikeUuid(text, from)) return true;
  if (firstDigit === -1) return false;
  if (to - firstDigit - 1 >= LEAST_TAIL) return true;
  if (!isNumbered) return false;
  const isVersion =
    firstDigit === from + 1 && length <= 4 && (text.charCodeAt(from) | 0x20) === LETTER_V;
  return !isVersion;
}

/** Where the path begins: behind `scheme://authority`, if there is one. */
function pathStart(target: string): number {
  if (target.charCodeAt(0) === SLASH) return 0;
  let at = 0;
  while (at < target.length && isLetter(target.charCodeAt(at))) at++;
  if (at === 0 || !target.startsWith('://', at)) return 0;
  const path = target.indexOf('/', at + 3);
  return path === -1 ? target.length : path;
}

/**
 * The kind of request a target stands for: its path without query, with segments that
 * look like identifiers replaced, so that `/cart/4711/items?x=1` becomes `/cart/{id}/items`.
 */
export function routeTemplate(target: string): string {
  let route = '';
  /** Up to where `route` tells the target. */
  let told = pathStart(target);
  let segment = told;
  for (let at = told; ; at++) {
    const code = at < target.length ? target.charCodeAt(at) : HASH;
    const isEnd = code === HASH || code === QUESTION;
    if (!isEnd && code !== SLASH) continue;
    if (at > segment && isIdentifier(target, segment, at)) {
      route += `${target.slice(told, segment)}{id}`;
      told = at;
    }
    if (isEnd) return route === '' ? target.slice(told, at) : route + target.slice(told, at);
    segment = at + 1;
  }
}
