import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

function newest(directory: string): number {
  return Math.max(
    0,
    ...readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

function builtAt(): number {
  try {
    return statSync(join(ROOT, 'dist/report/viewer.js')).mtimeMs;
  } catch {
    return 0;
  }
}

/** Tests start the built command line: it must be built from the sources of now. */
export function setup(): void {
  if (builtAt() >= newest(join(ROOT, 'src'))) return;
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the build failed: see above');
}
