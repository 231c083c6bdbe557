import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A cgroup of the scenario's own, so that only its programs are recorded.
 *
 * @returns its directory, undefined where the host has no writable cgroup v2
 */
export function openCgroup(): string | undefined {
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1];
  if (mount === undefined) return undefined;
  const directory = join(mount, `aftertrace-lab-${process.pid}`);
  try {
    mkdirSync(directory);
  } catch {
    return undefined;
  }
  process.once('exit', () => closeCgroup(directory));
  return directory;
}

/** Removes it once its processes have ended. */
export function closeCgroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // A process that takes long to end keeps it: it is empty and harmless.
  }
}
