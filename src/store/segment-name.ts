import type { SegmentHeader } from '../model/segment.js';

/** Extension of a closed segment, of one that is written, and of a file under construction. */
export const CLOSED = '.parquet';
export const OPEN = '.part';
export const TEMPORARY = '.tmp';

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

/** The closed segment that an open one becomes: same name, other extension. */
export function closedPath(partPath: string): string {
  return partPath.endsWith(OPEN) ? partPath.slice(0, -OPEN.length) + CLOSED : partPath + CLOSED;
}
