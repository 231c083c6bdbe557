import type { HintName } from '../model/hints.js';

/** What recording on arm64 lacks. */
export const ARM64_LACKS = 'no plaintext of TLS, no hints of Go';

/** Why the plaintext of TLS cannot be had on an architecture, '' if it can: functions are read as x86-64 code. */
export function tlsLack(arch: string): string {
  return arch === 'x64' ? '' : `plaintext of TLS is recorded on x86-64 only, not on ${arch}.`;
}

/** The kinds of hints that an architecture can give: the runtime of Go is known on x86-64. */
export function hintsOn(arch: string, hints: readonly HintName[]): HintName[] {
  return hints.filter((hint) => hint !== 'go' || arch === 'x64');
}
