import { CodedError } from '../model/errors.js';
import { CAPTURES, FORMAT_VERSION, type SegmentHeader } from '../model/segment.js';

const VERSION_KEY = 'format_version';
const CONTENT_KEY = 'content';

/** Metadata keys of a segment; each holds the header's field as a string. */
export const SEGMENT_KEYS = {
  tool: 'tool',
  host: 'host',
  bootId: 'boot_id',
  kernel: 'kernel',
  sequence: 'sequence',
  recordingId: 'recording_id',
  startNs: 'start_ns',
  monotonicOffsetNs: 'monotonic_offset_ns',
  capture: 'capture',
  snaplen: 'snaplen',
  redaction: 'redaction',
  filters: 'filters',
} as const satisfies Record<Exclude<keyof SegmentHeader, 'formatVersion'>, string>;

/** Metadata that says which version and which table a file is: `events`, `spans`, … */
export function contentMetadata(content: string): Record<string, string> {
  return { [VERSION_KEY]: String(FORMAT_VERSION), [CONTENT_KEY]: content };
}

/**
 * Checks that a file holds `content` in a version this program reads.
 * @throws CodedError INPUT for foreign files, UNSUPPORTED for files of a newer version
 */
export function checkContent(
  metadata: ReadonlyMap<string, string>,
  content: string,
  path: string,
): void {
  const version = Number(metadata.get(VERSION_KEY));
  if (!Number.isInteger(version) || version < 1) {
    throw new CodedError(
      'INPUT',
      'was not written by aftertrace.',
      path,
      `Name files or directories that hold ${content} of aftertrace.`,
    );
  }
  if (version > FORMAT_VERSION) {
    throw new CodedError(
      'UNSUPPORTED',
      `has format version ${version}; this aftertrace reads up to ${FORMAT_VERSION}.`,
      path,
      'Use the aftertrace that is at least as new as the one that wrote it.',
    );
  }
  const found = metadata.get(CONTENT_KEY) ?? '';
  if (found !== content) {
    throw new CodedError('INPUT', `holds ${found || 'something'}, not ${content}.`, path);
  }
}

export function headerToMetadata(header: SegmentHeader): Record<string, string> {
  const metadata = contentMetadata('events');
  for (const [field, key] of Object.entries(SEGMENT_KEYS)) {
    metadata[key] = String(header[field as keyof SegmentHeader]);
  }
  return metadata;
}

/** @throws CodedError INPUT or UNSUPPORTED, as {@link checkContent}, or where a field is missing */
export function headerFromMetadata(
  metadata: ReadonlyMap<string, string>,
  path: string,
): SegmentHeader {
  checkContent(metadata, 'events', path);
  const text = (field: keyof typeof SEGMENT_KEYS): string => {
    const value = metadata.get(SEGMENT_KEYS[field]);
    if (value === undefined) throw badField(path, field, 'is missing');
    return value;
  };
  const count = (field: keyof typeof SEGMENT_KEYS): number => {
    const value = Number(text(field));
    if (!Number.isSafeInteger(value) || value < 0) throw badField(path, field, 'is no count');
    return value;
  };
  const time = (field: keyof typeof SEGMENT_KEYS): string => {
    const value = text(field);
    if (!/^-?\d{1,19}$/.test(value)) throw badField(path, field, 'is no time in nanoseconds');
    return value;
  };
  const capture = metadata.get(SEGMENT_KEYS.capture) ?? 'socket';
  const known = CAPTURES.find((name) => name === capture);
  if (known === undefined) throw badField(path, 'capture', 'is not one that is known');
  return {
    formatVersion: Number(metadata.get(VERSION_KEY)),
    tool: text('tool'),
    host: text('host'),
    bootId: text('bootId'),
    kernel: text('kernel'),
    sequence: count('sequence'),
    recordingId: text('recordingId'),
    startNs: time('startNs'),
    monotonicOffsetNs: time('monotonicOffsetNs'),
    capture: known,
    snaplen: count('snaplen'),
    redaction: text('redaction'),
    filters: text('filters'),
  };
}

function badField(path: string, field: keyof typeof SEGMENT_KEYS, what: string): CodedError {
  const message = `is damaged: ${SEGMENT_KEYS[field]} ${what} in its metadata.`;
  return new CodedError('INPUT', message, path);
}
