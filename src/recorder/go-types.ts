import type { Elf } from './elf.js';
import type { GoLayout } from './go-layout.js';

/** The fields that are looked for, by the type that has them. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, keyof GoLayout>>>> = {
  'runtime.g': { m: 'g_m', goid: 'g_goid', parentGoid: 'g_parent', startpc: 'g_startpc' },
  'runtime.m': { curg: 'm_curg', p: 'm_p', oldp: 'm_oldp' },
  'runtime.p': { id: 'p_id', schedtick: 'p_schedtick' },
  'runtime.hchan': { recvq: 'hchan_recvq' },
  'runtime.sudog': { g: 'sudog_g' },
};
const WANTED = Object.keys(FIELDS).length;

const TAG_MEMBER = 0x0d;
const TAG_STRUCTURE = 0x13;
const AT_NAME = 0x03;
const AT_MEMBER_LOCATION = 0x38;
const FORM_STRING = 0x08;
const FORM_IMPLICIT_CONST = 0x21;

/** Bytes of each form that always has as many (DWARF 5, table 7.6), 32-bit format, 8-byte addresses. */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 1: 8, 5: 2, 6: 4, 7: 8, 11: 1, 12: 1, 14: 4, 16: 4, 17: 1, 18: 2 },
  ...{ 19: 4, 20: 8, 23: 4, 25: 0, 29: 4, 30: 16, 31: 4, 32: 8, 33: 0, 37: 1 },
  ...{ 38: 2, 40: 4, 41: 1, 42: 2, 44: 4, 28: 4, 36: 8 },
};
/** Forms that are one number of variable length. */
const NUMBERS = new Set([0x0d, 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23]);
/** Forms of a block, by the bytes its length takes; 0: of variable length. */
const BLOCKS: Readonly<Record<number, number>> = { 3: 2, 4: 4, 10: 1, 9: 0, 24: 0 };

interface Abbreviation {
  readonly tag: number;
  /** Name, form, and the constant of an implicit one. */
  readonly attributes: readonly (readonly [number, number, number])[];
}

/** Reads on from a place; throws a RangeError behind the end. */
class Cursor {
  constructor(
    readonly bytes: Buffer,
    public at: number,
  ) {}

  number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end === -1) throw new RangeError('no end of text');
    const text = this.bytes.toString('latin1', this.at, end);
    this.at = end + 1;
    return text;
  }

  skip(form: number): void {
    const fixed = FIXED[form];
    if (fixed !== undefined) this.at += fixed;
    else if (NUMBERS.has(form)) this.number();
    else if (form === FORM_STRING) this.text();
    else if (BLOCKS[form] !== undefined) {
      const width = BLOCKS[form];
      const length = width === 0 ? this.number() : this.bytes.readUIntLE(this.at, width);
      this.at += width + length;
    } else throw new RangeError(`unknown form ${form}`);
  }

  /** A number of any form; a block counts as the number behind its first operation. */
  value(form: number): number {
    if (NUMBERS.has(form)) return this.number();
    const from = this.at;
    this.skip(form);
    const width = FIXED[form];
    if (width !== undefined)
      return width >= 1 && width <= 4 ? this.bytes.readUIntLE(from, width) : 0;
    return new Cursor(this.bytes, from + 2).number();
  }
}

function readAbbreviations(bytes: Buffer, at: number): Map<number, Abbreviation> {
  const cursor = new Cursor(bytes, at);
  const table = new Map<number, Abbreviation>();
  for (let code = cursor.number(); code !== 0; code = cursor.number()) {
    const tag = cursor.number();
    cursor.at++;
    const attributes: [number, number, number][] = [];
    for (;;) {
      const name = cursor.number();
      const form = cursor.number();
      const constant = form === FORM_IMPLICIT_CONST ? cursor.number() : 0;
      if (name === 0 && form === 0) break;
      attributes.push([name, form, constant]);
    }
    table.set(code, { tag, attributes });
  }
  return table;
}

type Offsets = Partial<Record<keyof GoLayout, number>>;

/** Collects the fields of the types that are looked for; says when it has all. */
class Collector {
  readonly offsets: Offsets = {};
  private readonly found = new Set<string>();
  private inside: (typeof FIELDS)[string] | undefined;

  entry(tag: number, name: string, location: number): void {
    if (tag === TAG_STRUCTURE) {
      this.inside = FIELDS[name];
      if (this.inside !== undefined) this.found.add(name);
    } else if (tag === TAG_MEMBER && this.inside !== undefined) {
      const field = this.inside[name];
      if (field !== undefined) this.offsets[field] = location;
    } else this.inside = undefined;
  }

  get isDone(): boolean {
    return this.found.size === WANTED && this.inside === undefined;
  }
}

/** Reads the entries of one unit. @returns where the next one begins */
function readUnit(info: Buffer, abbreviations: Buffer, at: number, into: Collector): number {
  const end = at + 4 + info.readUInt32LE(at);
  const isFive = info.readUInt16LE(at + 4) >= 5;
  const table = readAbbreviations(abbreviations, info.readUInt32LE(at + (isFive ? 8 : 6)));
  const cursor = new Cursor(info, at + (isFive ? 12 : 11));
  while (cursor.at < end && !into.isDone) {
    const entry = table.get(cursor.number());
    if (entry === undefined) continue;
    let name = '';
    let location = 0;
    for (const [attribute, form, constant] of entry.attributes) {
      if (attribute === AT_NAME && form === FORM_STRING) name = cursor.text();
      else if (attribute === AT_MEMBER_LOCATION)
        location = form === FORM_IMPLICIT_CONST ? constant : cursor.value(form);
      else cursor.skip(form);
    }
    into.entry(entry.tag, name, location);
  }
  return end;
}

/** What a Go program always has; parentGoid came with Go 1.21. */
function isComplete(offsets: Offsets): boolean {
  return Object.values(FIELDS)
    .flatMap((fields) => Object.values(fields))
    .every((field) => field === 'g_parent' || (offsets[field] ?? 65536) < 65536);
}

/**
 * Offsets of the runtime's fields from the debug information (DWARF 4 and 5) that the Go linker writes
 * unless told not to; undefined without.
 */
export function readGoTypes(elf: Elf): Omit<GoLayout, 'tls'> | undefined {
  const info = elf.read('.debug_info');
  const abbreviations = elf.read('.debug_abbrev');
  if (info === undefined || abbreviations === undefined) return undefined;
  const collector = new Collector();
  try {
    for (let at = 0; at < info.length && !collector.isDone; )
      at = readUnit(info, abbreviations, at, collector);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
  const { offsets } = collector;
  return isComplete(offsets)
    ? { g_parent: 0, ...(offsets as Omit<GoLayout, 'tls' | 'g_parent'>) }
    : undefined;
}
