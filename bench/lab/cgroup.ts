import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A cgroup of the scenario's own, so that only its programs are recorded. */
export interface Cgroup {
  readonly directory: string;
  /** What `aftertrace record --cgroup` takes. */
  readonly id: string;
  /** Removes it, once its processes have ended. */
  close(): void;
}

/** @returns undefined where the host has no writable cgroup v2: everything is recorded then */
export function openCgroup(): Cgroup | undefined {
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1];
  if (mount === undefined) return undefined;
  const directory = join(mount, `aftertrace-lab-${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true });
  } catch {
    return undefined;
  }
  const remove = () => {
    try {
      rmdirSync(directory);
    } catch {
      // A process that takes long to end keeps it: it is empty and harmless.
    }
  };
  process.once('exit', remove);
  return {
    directory,
    id: String(statSync(directory).ino),
    close() {
      process.off('exit', remove);
      remove();
    },
  };
}
