import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe } from 'vitest';

/** Data of other projects that lie beside this repository on some machines, never in it. */
const DATA = fileURLToPath(new URL('../../../shared/data/http/', import.meta.url));

/**
 * Unpacks an archive for the tests of a file, or says in one sentence why they are skipped.
 *
 * @returns where it was unpacked ('' where it is absent) and the `describe` to use
 */
export function unpackShared(name: string): { directory: string; suite: typeof describe.skip } {
  const archive = join(DATA, name);
  if (!existsSync(archive)) {
    console.warn(`SKIPPED: ${archive} is absent: these cases of others were not run.`);
    return { directory: '', suite: describe.skip };
  }
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-http-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  execFileSync('tar', ['xzf', archive, '-C', directory]);
  return { directory, suite: describe as unknown as typeof describe.skip };
}
