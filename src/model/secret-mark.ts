/**
 * Marks of masked secrets. The recorder masks a secret with '*'; its last {@link MARK_LENGTH} bytes
 * become 48 bits of its SipHash-2-4, six bits a character, the lowest first. The key is random, of one
 * run of the recorder, and never written: within a recording equal secrets have equal marks, and
 * nothing else can be learned from them. Secrets no longer than a mark have none, nor have those
 * that are cut before their end, or end in a record that holds no more than a mark's length of them.
 */
export const MARK_LENGTH = 8;

/** base64url (RFC 4648, section 5). */
export const MARK_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A mark follows a mask, and a mask, a blank or the end follows it. */
const MARK = /(?<=\*)[\w-]{8}(?=[* \t]|$)/g;

/** The marks in a masked value; none in any other text. */
export function marksIn(value: string): readonly string[] {
  if (!value.includes('*') || !/^[*\w \t-]+$/.test(value)) return [];
  return value.match(MARK) ?? [];
}
