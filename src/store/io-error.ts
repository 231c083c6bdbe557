import { CodedError, type ErrorCode } from '../model/errors.js';

const WORDS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ['no such file or directory', 'Check the path.'],
  EACCES: [
    'permission denied',
    'Segments are readable by their owner only: run as that user or root.',
  ],
  EPERM: ['operation not permitted', 'Run as the owner of the directory or root.'],
  EISDIR: ['is a directory, not a file', 'Name a file.'],
  ENOTDIR: ['a part of the path is not a directory', 'Check the path.'],
  EEXIST: ['exists already', 'Remove it or choose another directory.'],
  ENOSPC: ['the disk is full', 'Free space, or lower the retention limits.'],
  EDQUOT: ['the disk quota is used up', 'Free space, or lower the retention limits.'],
  EROFS: ['the file system is read-only', 'Choose a writable directory.'],
  EIO: ['the disk reported an I/O error', 'Check the disk (dmesg).'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n).'],
};

function errno(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : '';
}

/** True for a failed system call with this errno name. */
export function isErrno(cause: unknown, name: string): boolean {
  return errno(cause) === name;
}

/** Turns a failed system call into an error that names file, reason and remedy; passes CodedErrors on. */
export function ioError(code: ErrorCode, path: string, doing: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  const [what, remedy] = WORDS[errno(cause)] ?? [
    cause instanceof Error ? cause.message : String(cause),
    '',
  ];
  return new CodedError(code, `cannot ${doing}: ${what}.`, path, remedy, cause);
}
