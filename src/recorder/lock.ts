import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../model/errors.js';
import { createDirectory } from '../store/durable-file.js';
import { isRunning, startTicksOf } from './proc.js';

const LOCK = '.aftertrace.lock';

/** The process named in a lock file, if it still runs. */
function holderOf(path: string): number | undefined {
  try {
    const [pid, startTicks] = readFileSync(path, 'utf8').trim().split(' ').map(Number);
    if (pid === undefined || startTicks === undefined) return undefined;
    return isRunning(pid, startTicks) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function create(path: string): boolean {
  try {
    const fd = openSync(path, 'wx', 0o600);
    writeSync(fd, `${process.pid} ${startTicksOf(process.pid)}\n`);
    closeSync(fd);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    const { message } = cause as Error;
    throw new CodedError(
      'OUTPUT',
      `cannot be written: ${message}.`,
      path,
      'Choose a writable directory.',
      cause,
    );
  }
}

export interface DirectoryLock {
  /** Makes the lock again if somebody removed it together with the directory. */
  renew(): void;
  release(): void;
}

function renew(path: string): void {
  try {
    create(path);
  } catch {
    // The directory is not writable now: the log says so.
  }
}

/**
 * Makes sure that one recorder alone writes to a directory, which is created (0700) if
 * needed. The lock of a recorder that died is taken over.
 *
 * @throws CodedError OUTPUT when another recorder holds it or the directory is not writable
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, LOCK);
  try {
    createDirectory(directory);
  } catch (cause) {
    const { message } = cause as Error;
    throw new CodedError(
      'OUTPUT',
      `cannot be created: ${message}.`,
      directory,
      'Choose a writable directory.',
      cause,
    );
  }
  if (!create(path)) {
    const holder = holderOf(path);
    if (holder !== undefined) {
      throw new CodedError(
        'OUTPUT',
        `is in use by the recorder with pid ${holder}.`,
        directory,
        'Stop that one or record to another directory.',
      );
    }
    unlinkSync(path);
    if (!create(path))
      throw new CodedError('OUTPUT', 'another recorder is starting here.', directory, 'Try again.');
  }
  return {
    renew: () => renew(path),
    release: () => {
      try {
        unlinkSync(path);
      } catch {
        // The directory is gone: nothing is left to lock.
      }
    },
  };
}
