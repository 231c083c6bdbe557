/** The keys that encrypted segments are read with: one option of several commands. */
export const IDENTITY_OPTION = {
  type: 'string',
  array: true,
  requiresArg: true,
  default: [] as string[],
  describe: 'File with an age identity (AGE-SECRET-KEY-1...), for segments that are encrypted',
} as const;

/** @throws CodedError USAGE or INPUT */
export async function readIdentityFiles(files: readonly string[]): Promise<readonly string[]> {
  if (files.length === 0) return [];
  const { readIdentities } = await import('../store/age.js');
  return readIdentities(files);
}
