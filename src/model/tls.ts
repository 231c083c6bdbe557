const WORDS: Readonly<Record<string, string>> = {
  go: 'Go has its own TLS',
  java: 'Java has its own TLS',
  'no-symbols': 'its TLS library has no symbols',
};

/**
 * Why the plaintext of a process's TLS is not recorded, in words.
 * @param found as ProcessDetail.tls
 * @returns '' where it is recorded, or nothing is known
 */
export function whyEncrypted(found: string | undefined): string {
  if (found === undefined || found === '' || found === 'plaintext') return '';
  return WORDS[found] ?? `its TLS library was not probed, ${found}`;
}
