import { closeSync, openSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

/** Sections and segments that are looked at; real programs have about forty. */
const MOST_HEADERS = 4096;
/** Bytes of a section that are read, as it is in memory. */
const MOST_SECTION = 64 * 1024 * 1024;

const SECTION_COMPRESSED = 0x800n;
const SEGMENT_TLS = 7;
const COMPRESSED_ZLIB = 1;
const COMPRESSION_HEADER = 24;

interface Section {
  readonly offset: number;
  readonly size: number;
  readonly flags: bigint;
}

/** A 64-bit little-endian ELF file, open for reading. */
export interface Elf {
  has(section: string): boolean;
  /** Content of a section, uncompressed, its first `most` bytes; undefined if it is not there or cannot be had. */
  read(section: string, most?: number): Buffer | undefined;
  /** Size of the thread-local storage in bytes, 0 without. */
  readonly tlsSize: number;
  close(): void;
}

function readAt(fd: number, offset: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  return buffer.subarray(0, readSync(fd, buffer, 0, size, offset));
}

/** Reads a table of `count` headers of `size` bytes; cut where the file or the limit ends. */
function headers(fd: number, offset: number, count: number, size: number): Buffer[] {
  const bytes = readAt(fd, offset, Math.min(count, MOST_HEADERS) * size);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

function nameAt(names: Buffer, offset: number): string {
  const end = names.indexOf(0, offset);
  return names.toString('latin1', offset, end === -1 ? names.length : end);
}

function readSections(fd: number, file: Buffer): Map<string, Section> {
  const table = headers(fd, Number(file.readBigUInt64LE(40)), file.readUInt16LE(60), 64);
  const sections = table.map((header) => ({
    name: header.readUInt32LE(0),
    flags: header.readBigUInt64LE(8),
    offset: Number(header.readBigUInt64LE(24)),
    size: Number(header.readBigUInt64LE(32)),
  }));
  const strings = sections[file.readUInt16LE(62)];
  if (strings === undefined) return new Map();
  const names = readAt(fd, strings.offset, Math.min(strings.size, MOST_SECTION));
  return new Map(sections.map((section) => [nameAt(names, section.name), section]));
}

function readTlsSize(fd: number, file: Buffer): number {
  const table = headers(fd, Number(file.readBigUInt64LE(32)), file.readUInt16LE(56), 56);
  const tls = table.find((header) => header.readUInt32LE(0) === SEGMENT_TLS);
  return tls === undefined ? 0 : Number(tls.readBigUInt64LE(40));
}

function inflate(bytes: Buffer): Buffer | undefined {
  if (bytes.length < COMPRESSION_HEADER || bytes.readUInt32LE(0) !== COMPRESSED_ZLIB)
    return undefined;
  return inflateSync(bytes.subarray(COMPRESSION_HEADER), { maxOutputLength: MOST_SECTION });
}

/** Runs `read`; what is not as it should be in a file is undefined, not an error. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Opens a program for reading; undefined if it cannot be, or is not of that kind. */
export function openElf(path: string): Elf | undefined {
  const fd = orUndefined(() => openSync(path, 'r'));
  if (fd === undefined) return undefined;
  const parsed = orUndefined(() => {
    const file = readAt(fd, 0, 64);
    // 64-bit, little-endian
    if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file.readUInt16BE(4) !== 0x0201)
      return undefined;
    return { sections: readSections(fd, file), tlsSize: readTlsSize(fd, file) };
  });
  if (parsed === undefined) {
    closeSync(fd);
    return undefined;
  }
  const { sections, tlsSize } = parsed;
  return {
    tlsSize,
    has: (name) => sections.has(name),
    read: (name, most = MOST_SECTION) =>
      orUndefined(() => {
        const section = sections.get(name);
        if (section === undefined) return undefined;
        if ((section.flags & SECTION_COMPRESSED) === 0n)
          return readAt(fd, section.offset, Math.min(section.size, most));
        return section.size > MOST_SECTION
          ? undefined
          : inflate(readAt(fd, section.offset, section.size));
      }),
    close: () => closeSync(fd),
  };
}
