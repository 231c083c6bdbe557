import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Gone, or another user's process.
    return [];
  }
}

/** Open for writing: the access mode in the octal `flags:` line of fdinfo is not read-only. */
function isWriter(pid: string, fd: string): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'));
  return flags !== null && (Number.parseInt(flags[1]!, 8) & 3) !== 0;
}

/** Device and inode name a file whatever the path or mount namespace it was opened by. */
function identity(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/**
 * Which of `paths` some process has open for writing, this one included. Linux only,
 * and only processes that this user may look at; elsewhere none.
 */
export function openForWriting(paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  if (paths.length === 0 || process.platform !== 'linux') return found;
  const byName = new Map(paths.map((path) => [basename(path), path]));
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      try {
        const link = `/proc/${pid}/fd/${fd}`;
        const path = byName.get(basename(readlinkSync(link)));
        if (path !== undefined && identity(link) === identity(path) && isWriter(pid, fd)) {
          found.add(path);
        }
      } catch {
        // Closed in the meantime.
      }
    }
  }
  return found;
}
