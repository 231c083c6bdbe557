import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../model/errors.js';
import { reasonOf, type UnreadableFile } from './catalog.js';
import { type ClosedSegment, convertSegment } from './convert.js';
import { ioError, isErrno } from './io-error.js';
import { openForWriting } from './open-files.js';
import { isOpenName, isUnfinished } from './segment-name.js';

export interface RecoveryReport {
  readonly recovered: readonly ClosedSegment[];
  /** Segments that another process is writing: left alone. */
  readonly inUse: readonly string[];
  /** Segments that hold nothing that can be read: left as they are. */
  readonly unreadable: readonly UnreadableFile[];
  /** Empty segments and unfinished conversions, deleted. */
  readonly removed: readonly string[];
}

/** Anything that converts as `convertSegment` does: a SegmentConverter. */
export interface Converter {
  convert(partPath: string): Promise<ClosedSegment>;
}

function listLeftOvers(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => isOpenName(name) || isUnfinished(name))
      .sort()
      .map((name) => join(directory, name));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw ioError('INPUT', directory, 'read', cause);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw ioError('OUTPUT', path, 'remove', cause);
  }
}

/**
 * Cleans up after recorders that died: every `.part` that nobody writes any more becomes
 * a `.parquet`, cut at its last whole batch; unfinished conversions and empty files go.
 * Doing it again changes nothing. A directory that is not there has nothing to recover.
 *
 * @throws CodedError OUTPUT when a closed segment cannot be written (disk full): the
 *   segments not yet converted stay `.part`
 */
export async function recoverDirectory(
  directory: string,
  converter: Converter = { convert: (path) => convertSegment(path) },
): Promise<RecoveryReport> {
  const files = listLeftOvers(directory);
  const busy = openForWriting(files);
  const recovered: ClosedSegment[] = [];
  const unreadable: UnreadableFile[] = [];
  const removed: string[] = [];
  for (const file of files.filter((path) => !busy.has(path))) {
    if (isUnfinished(file) || statSync(file).size === 0) {
      removeFile(file);
      removed.push(file);
      continue;
    }
    try {
      recovered.push(await converter.convert(file));
    } catch (error) {
      if (error instanceof CodedError && error.code === 'OUTPUT') throw error;
      unreadable.push({ file, reason: reasonOf(error) });
    }
  }
  return { recovered, inUse: [...busy], unreadable, removed };
}
