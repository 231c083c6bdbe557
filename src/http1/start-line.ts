/** What the first bytes of a message can be. */
export type MessageKind = 'request' | 'response';

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'CONNECT',
  'TRACE',
] as const;
const STARTS: readonly { readonly kind: MessageKind; readonly bytes: Uint8Array }[] = [
  ...METHODS.map((method) => ({ kind: 'request' as const, bytes: ascii(`${method} `) })),
  { kind: 'response', bytes: ascii('HTTP/1.') },
];

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Recognises the start of an HTTP/1 message at `from`: the same rule as in the kernel.
 * Fewer bytes than a start needs may still be one, as when a server reads a single byte
 * first: then `partial` is true and the kind is that of the first start they fit.
 *
 * @returns undefined where the bytes begin neither a request nor a response
 */
export function recognizeStart(
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
): { kind: MessageKind; partial: boolean } | undefined {
  if (to <= from) return undefined;
  for (const start of STARTS) {
    const length = Math.min(start.bytes.length, to - from);
    let same = 0;
    while (same < length && bytes[from + same] === start.bytes[same]) same++;
    if (same === length) return { kind: start.kind, partial: length < start.bytes.length };
  }
  return undefined;
}
