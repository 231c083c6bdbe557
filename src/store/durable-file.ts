import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ioError, isErrno } from './io-error.js';

/** Recordings hold other people's traffic: only the owner may read them. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

interface Owner {
  readonly uid: number;
  readonly gid: number;
}
let owner: Owner | undefined;

/** Files and directories that this thread makes from now on belong to another user. Needs CAP_CHOWN. */
export function ownFilesBy(user: Owner): void {
  owner = user;
}

/** Makes a new file of {@link FILE_MODE} for writing. @returns its descriptor @throws as openSync */
export function createFile(path: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
  try {
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    throw error;
  }
}

/**
 * As mkdirSync with `recursive`, which never returns where a directory that is there answers ENOENT,
 * as /proc does.
 *
 * @returns false where the directory was there @throws as mkdirSync
 */
function makeDirectories(path: string): boolean {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
    return true;
  } catch (cause) {
    if (isErrno(cause, 'EEXIST') && statSync(path).isDirectory()) return false;
    if (!isErrno(cause, 'ENOENT') || existsSync(dirname(path))) throw cause;
  }
  makeDirectories(dirname(path));
  return makeDirectories(path);
}

/** Makes a directory of {@link DIRECTORY_MODE}, and those above it, where they are missing. @throws as mkdirSync */
export function createDirectory(path: string): void {
  if (makeDirectories(path) && owner !== undefined) chownSync(path, owner.uid, owner.gid);
}

/** Makes a finished create, rename or unlink in `directory` survive a power cut. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes all of `bytes`; a short write (disk nearly full) is continued until it fails or is done. */
export function writeFully(fd: number, bytes: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    done += writeSync(fd, bytes, done, bytes.length - done, at);
  }
}

/**
 * A file that appears under its name only when it is whole: written as
 * `<path>.tmp` with mode 0600, then fsync, rename, fsync of the directory.
 */
export class DurableFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #sync: boolean;
  #fd: number;
  #bytes = 0;

  /**
   * @param safety 'sync' for files that must survive a power cut, 'rename' for
   *   intermediate files, which are only never seen half-written
   * @throws CodedError OUTPUT
   */
  constructor(path: string, safety: 'sync' | 'rename' = 'sync') {
    this.path = path;
    this.#sync = safety === 'sync';
    this.#temporary = `${path}.tmp`;
    try {
      // Only a crashed writer leaves such a file: names are never reused by two writers.
      try {
        unlinkSync(this.#temporary);
      } catch {}
      this.#fd = createFile(this.#temporary);
    } catch (cause) {
      throw ioError('OUTPUT', path, 'create the file', cause);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** For those who write it themselves; then {@link bytes} does not count. */
  get descriptor(): number {
    return this.#fd;
  }

  write(bytes: Uint8Array): void {
    try {
      writeFully(this.#fd, bytes, null);
    } catch (cause) {
      throw ioError('OUTPUT', this.path, 'write', cause);
    }
    this.#bytes += bytes.length;
  }

  /** Gives the file its name; replaces an older one. */
  commit(): void {
    try {
      if (this.#sync) fsyncSync(this.#fd);
      this.#close();
      renameSync(this.#temporary, this.path);
      if (this.#sync) syncDirectory(dirname(this.path));
    } catch (cause) {
      throw ioError('OUTPUT', this.path, 'finish the file', cause);
    }
  }

  /** Removes what was written so far. Never throws. */
  abandon(): void {
    this.#close();
    try {
      unlinkSync(this.#temporary);
    } catch {}
  }

  #close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
  }
}

/** Writes a small file durably. @throws CodedError OUTPUT */
export function writeFileDurably(path: string, bytes: Uint8Array): void {
  const file = new DurableFile(path);
  try {
    file.write(bytes);
    file.commit();
  } catch (error) {
    file.abandon();
    throw error;
  }
}
