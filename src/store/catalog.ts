import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, describeError } from '../model/errors.js';
import type { SegmentHeader } from '../model/segment.js';
import type { Identities } from './age.js';
import { describeImport, type ImportInfo, isSourcesName } from './import-files.js';
import { ioError } from './io-error.js';
import { closedPath, isClosedName, isOpenName } from './segment-name.js';
import { openSegment } from './segment-reader.js';

/** What is known of a segment without reading its events. */
export interface SegmentInfo {
  readonly path: string;
  readonly host: string;
  readonly bootId: string;
  readonly header: SegmentHeader;
  readonly rows: number;
  readonly bytes: number;
  /** True for an open or crashed segment, read up to its last whole batch. */
  readonly partial: boolean;
  readonly tornBytes: number;
  /** First and last event, epoch ns, inclusive. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

export interface UnreadableFile {
  readonly file: string;
  /** Why, in one line, without the path. */
  readonly reason: string;
}

export interface Catalog {
  /** Sorted by host, boot, start of the recording's segments, sequence. */
  readonly segments: readonly SegmentInfo[];
  /** Files of imported exchanges, sorted by import, then part. */
  readonly imports: readonly ImportInfo[];
  readonly unreadable: readonly UnreadableFile[];
}

/**
 * Files to look at: a named file as it is, of a directory its closed and open segments (not those of its subdirectories). A `.part` whose `.parquet` is there too has
 * just been converted and is left out, and so are source ids: they go with exchanges.
 */
export function listFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => isClosedName(name) || isOpenName(name));
    const present = new Set(names);
    return names
      .filter((name) => !isOpenName(name) || !present.has(closedPath(name)))
      .filter((name) => !isSourcesName(name))
      .map((name) => join(path, name));
  } catch (cause) {
    throw ioError('INPUT', path, 'read', cause);
  }
}

async function describeSegment(file: string, identities: Identities): Promise<SegmentInfo> {
  const segment = await openSegment(file, identities);
  try {
    const { path, header, rows, bytes, partial, tornBytes, fromNs, toNs } = segment;
    const { host, bootId } = header;
    return { path, host, bootId, header, rows, bytes, partial, tornBytes, fromNs, toNs };
  } finally {
    segment.close();
  }
}

async function describeFile(
  file: string,
  identities: Identities,
): Promise<SegmentInfo | ImportInfo> {
  try {
    return await describeSegment(file, identities);
  } catch (error) {
    const imported = describeImport(file);
    if (imported === undefined) throw error;
    return imported;
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareSegments(a: SegmentInfo, b: SegmentInfo): number {
  const start = BigInt(a.header.startNs) - BigInt(b.header.startNs);
  return (
    compareText(a.host, b.host) ||
    compareText(a.bootId, b.bootId) ||
    (start < 0n ? -1 : start > 0n ? 1 : 0) ||
    a.header.sequence - b.header.sequence ||
    compareText(a.path, b.path)
  );
}

/** Why a file cannot be used, without its path. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof CodedError)) return describeError(error);
  return error.remedy === '' ? error.message : `${error.message} ${error.remedy}`;
}

function compareImports(a: ImportInfo, b: ImportInfo): number {
  return compareText(a.bootId, b.bootId) || a.part - b.part || compareText(a.path, b.path);
}

/** Copies of a part of an import that was there already: their spans would count twice. */
function dropCopies(imports: ImportInfo[], unreadable: UnreadableFile[]): ImportInfo[] {
  return imports.sort(compareImports).filter(({ path, bootId, part }, i) => {
    const before = imports[i - 1];
    if (before?.bootId !== bootId || before.part !== part) return true;
    unreadable.push({ file: path, reason: `holds the same spans as ${before.path}.` });
    return false;
  });
}

/**
 * Finds the segments and imports in directories and files. Files that cannot be read are listed, and
 * the rest is kept. A segment named twice counts once.
 *
 * @param identities keys for segments that are encrypted
 * @throws CodedError INPUT if a path is missing, or if a path holds no file to look at
 */
export async function readCatalog(
  paths: readonly string[],
  identities: Identities = [],
): Promise<Catalog> {
  const files = new Set<string>();
  for (const path of paths) {
    const found = listFiles(path);
    if (found.length === 0) {
      const remedy = 'Name a directory that aftertrace record or import wrote (or files in it).';
      throw new CodedError('INPUT', 'holds no segments.', path, remedy);
    }
    for (const file of found) files.add(file);
  }
  const segments = new Map<string, SegmentInfo>();
  const imports: ImportInfo[] = [];
  const unreadable: UnreadableFile[] = [];
  for (const file of [...files].sort()) {
    try {
      const info = await describeFile(file, identities);
      if ('services' in info) imports.push(info);
      else segments.set(info.path, info);
    } catch (error) {
      unreadable.push({ file, reason: reasonOf(error) });
    }
  }
  const kept = dropCopies(imports, unreadable);
  return { segments: [...segments.values()].sort(compareSegments), imports: kept, unreadable };
}
