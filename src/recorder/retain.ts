import { readdirSync, statfsSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** How much closed segments may take; a limit that is undefined is not applied. */
export interface RetentionLimits {
  readonly maxTotalBytes?: number;
  readonly maxAgeMs?: number;
  /** Share of the file system that stays free, 0..1. */
  readonly minFreeShare?: number;
}

export interface StoredSegment {
  readonly path: string;
  readonly bytes: number;
  /** When it was last written, epoch ms. */
  readonly modifiedMs: number;
}

/**
 * `<host>-<boot8>-<UTC start>-<sequence>.parquet`, or encrypted, or what a killed recorder left
 * encrypted: only such files are ours to delete.
 */
const OURS = /^[\w.-]+-[0-9a-f]{8}-\d{8}T\d{9}Z-\d{6,}\.(parquet|parquet\.age|arrow\.age)$/;

/**
 * Which closed segments have to go, oldest first. Pure.
 *
 * @param segments closed segments, any order
 * @param freeBytes free on the file system now; Infinity if unknown
 */
export function chooseExpired(
  segments: readonly StoredSegment[],
  limits: RetentionLimits,
  nowMs: number,
  freeBytes: number,
  fileSystemBytes: number,
): StoredSegment[] {
  const oldestFirst = [...segments].sort(
    (a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1),
  );
  let total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  let free = freeBytes;
  const needFree = (limits.minFreeShare ?? 0) * fileSystemBytes;
  const expired: StoredSegment[] = [];
  for (const segment of oldestFirst) {
    const isOld = nowMs - segment.modifiedMs > (limits.maxAgeMs ?? Infinity);
    const isOver = total > (limits.maxTotalBytes ?? Infinity);
    if (!isOld && !isOver && free >= needFree) break;
    expired.push(segment);
    total -= segment.bytes;
    free += segment.bytes;
  }
  return expired;
}

/** The closed segments of a directory; open ones and files that are not ours do not count. */
function listSegments(directory: string): StoredSegment[] {
  return readdirSync(directory)
    .filter((name) => OURS.test(name))
    .flatMap((name) => {
      const path = join(directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) return [];
      return [{ path, bytes: stat.size, modifiedMs: stat.mtimeMs }];
    });
}

/** What applying the limits did. */
export interface Retained {
  readonly expired: readonly StoredSegment[];
  /** Less than the share that must stay free is free, and nothing is left to delete. */
  readonly isStarved: boolean;
}

/** Applies the limits to a directory. */
export function retain(directory: string, limits: RetentionLimits, nowMs: number): Retained {
  const before = statfsSync(directory);
  const expired = chooseExpired(
    listSegments(directory),
    limits,
    nowMs,
    before.bsize * before.bavail,
    before.bsize * before.blocks,
  );
  for (const { path } of expired) unlinkSync(path);
  const { bavail, blocks } = expired.length > 0 ? statfsSync(directory) : before;
  return { expired, isStarved: bavail < (limits.minFreeShare ?? 0) * blocks };
}
