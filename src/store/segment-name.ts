import type { SegmentHeader } from '../model/segment.js';

/** Extension of a closed segment, of one that is written, and of a file under construction. */
const CLOSED = '.parquet';
const OPEN = '.part';
const TEMPORARY = '.tmp';
/**
 * Extension of what a killed recorder left of an encrypted open segment: without the key it
 * cannot become a `.parquet`, so it is a closed segment as it is.
 */
const LEFT = '.arrow';
/** Behind any of the others: the file is encrypted. */
const ENCRYPTED = '.age';

export function isEncrypted(path: string): boolean {
  return path.endsWith(ENCRYPTED);
}

function plainName(path: string): string {
  return isEncrypted(path) ? path.slice(0, -ENCRYPTED.length) : path;
}

/** True for a segment that is written, or whose writer died. */
export function isOpenName(path: string): boolean {
  return plainName(path).endsWith(OPEN);
}

/** True for a segment that never changes again. */
export function isClosedName(path: string): boolean {
  return plainName(path).endsWith(CLOSED) || path.endsWith(LEFT + ENCRYPTED);
}

/** True for a segment in the form of an Arrow stream. */
export function isStreamName(path: string): boolean {
  return isOpenName(path) || path.endsWith(LEFT + ENCRYPTED);
}

/** True for a conversion under way, or what a crash left of one. */
export function isUnfinished(path: string): boolean {
  return path.endsWith(TEMPORARY) && isClosedName(path.slice(0, -TEMPORARY.length));
}

/** The name of a `.part`, or of one that is encrypted. */
export function openName(base: string, encrypted: boolean): string {
  return base + OPEN + (encrypted ? ENCRYPTED : '');
}

/** What an encrypted open segment is called when its recorder died. */
export function leftPath(partPath: string): string {
  return plainName(partPath).slice(0, -OPEN.length) + LEFT + ENCRYPTED;
}

/**
 * Name of a segment without its extension: `<host>-<boot8>-<UTC start>-<sequence>`.
 * The host is cut and cleaned to what is harmless in any path; sorted by name, the
 * segments of one host and boot are in time order.
 */
export function segmentBaseName(header: SegmentHeader): string {
  const clean = (text: string) => text.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '_');
  const host = clean(header.host).slice(0, 64) || 'host';
  const boot = clean(header.bootId.replaceAll('-', '')).slice(0, 8) || 'boot';
  const milliseconds = Number(BigInt(header.startNs) / 1_000_000n);
  const start = new Date(milliseconds).toISOString().replace(/[-:.]/g, '');
  return `${host}-${boot}-${start}-${String(header.sequence).padStart(6, '0')}`;
}

/** The closed segment that an open one becomes: same name, other extension, as encrypted. */
export function closedPath(partPath: string): string {
  const plain = plainName(partPath);
  const base = plain.endsWith(OPEN) ? plain.slice(0, -OPEN.length) : plain;
  return base + CLOSED + (isEncrypted(partPath) ? ENCRYPTED : '');
}
