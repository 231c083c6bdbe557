import { statSync } from 'node:fs';
import { type Elf, openElf } from './elf.js';
import type { GoLayout } from './go-layout.js';
import { readGoTypes } from './go-types.js';

/** What a Go program says of how it was built. */
export interface GoBuild {
  /** As in `1.23.5`, '' if it does not say. */
  readonly version: string;
  /** undefined where the runtime's structures are not known. */
  readonly layout: GoLayout | undefined;
}

/** x86-64: the current g is the last word before the thread pointer. */
const TLS = -8;

const COMMON = { tls: TLS, g_m: 48, m_p: 208, m_oldp: 224, p_id: 0, p_schedtick: 16, sudog_g: 0 };
const SINCE_1_19 = { ...COMMON, g_goid: 152, m_curg: 192, hchan_recvq: 56 };
const SINCE_1_21 = { ...SINCE_1_19, g_parent: 272, g_startpc: 296 };
const SINCE_1_23 = {
  ...COMMON,
  ...{ g_goid: 160, g_parent: 280, g_startpc: 304, m_curg: 192, hchan_recvq: 64 },
};
const SINCE_1_26 = { ...SINCE_1_23, g_goid: 152, m_curg: 184 };

/**
 * By minor version, read from the debug information that these toolchains write: 1.19.8,
 * 1.21.13, 1.22.12, 1.23.5, 1.24.4, 1.26.10, 1.27.3 on x86-64. Of other versions the program's own is read.
 */
const LAYOUTS: Readonly<Record<number, GoLayout>> = {
  19: { ...SINCE_1_19, g_parent: 0, g_startpc: 312 },
  21: SINCE_1_21,
  22: SINCE_1_21,
  23: SINCE_1_23,
  24: SINCE_1_23,
  26: SINCE_1_26,
  27: SINCE_1_26,
};

/** Begins the section .go.buildinfo (debug/buildinfo in Go's library). */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const FLAG_INLINE = 2;
const STRINGS_AT = 32;
/** Longest version that is believed. */
const MOST_VERSION = 127;

function readVersion(elf: Elf): string {
  const info = elf.read('.go.buildinfo', STRINGS_AT + 1 + MOST_VERSION);
  if (info === undefined || info.length <= STRINGS_AT || !info.subarray(0, 14).equals(MAGIC))
    return '';
  // Before Go 1.18 there are pointers here: too old to be read.
  if ((info[15]! & FLAG_INLINE) === 0) return '';
  // A varint, of one byte because no version is longer.
  const length = info[STRINGS_AT]!;
  if (length > MOST_VERSION) return '';
  const text = info.toString('latin1', STRINGS_AT + 1, STRINGS_AT + 1 + length);
  return /^go(\d+\.\d+[\w.]*)/.exec(text)?.[1] ?? '';
}

function layoutOf(elf: Elf, version: string): GoLayout | undefined {
  // Where C code brings thread-local variables of its own, that of Go may stand elsewhere.
  if (elf.tlsSize !== 0 && elf.tlsSize !== -TLS) return undefined;
  const minor = /^1\.(\d+)/.exec(version)?.[1];
  const known = minor === undefined ? undefined : LAYOUTS[Number(minor)];
  if (known !== undefined) return known;
  const types = readGoTypes(elf);
  return types === undefined ? undefined : { tls: TLS, ...types };
}

function inspect(path: string): GoBuild | undefined {
  const elf = openElf(path);
  if (elf === undefined) return undefined;
  try {
    if (!elf.has('.go.buildinfo') && !elf.has('.gopclntab')) return undefined;
    const version = readVersion(elf);
    return { version, layout: layoutOf(elf, version) };
  } finally {
    elf.close();
  }
}

/** Programs are many, builds few: by device, inode and time of change. */
const MOST_BUILDS = 1024;
const builds = new Map<string, GoBuild | undefined>();

/** What an executable says of its Go build; undefined if it is not a Go program or cannot be read. */
export function readGoBuild(path: string): GoBuild | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const key = `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
  if (!builds.has(key)) {
    if (builds.size >= MOST_BUILDS) builds.clear();
    builds.set(key, inspect(path));
  }
  return builds.get(key);
}
