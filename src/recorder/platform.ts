import type { HintName } from '../model/hints.js';

/** What recording on arm64 lacks. */
export const ARM64_LACKS =
  'no plaintext of TLS, no hints of Go, of event loops, of async functions and posted messages of Node, of Python’s pools';

/** Hints that are found by what is known of x86-64 programs. */
const X64_HINTS: readonly HintName[] = ['go', 'loop', 'async', 'posts', 'executor'];

/** Why the plaintext of TLS cannot be had on an architecture, '' if it can: functions are read as x86-64 code. */
export function tlsLack(arch: string): string {
  return arch === 'x64' ? '' : `plaintext of TLS is recorded on x86-64 only, not on ${arch}.`;
}

/** The kinds of hints that an architecture can give. */
export function hintsOn(arch: string, hints: readonly HintName[]): HintName[] {
  return arch === 'x64' ? [...hints] : hints.filter((hint) => !X64_HINTS.includes(hint));
}
