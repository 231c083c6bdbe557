/**
 * Thrift's compact protocol, as far as a Parquet footer needs it: find the fields of a
 * struct as byte ranges, and put a struct together again from such ranges and new values.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { CodedError } from '../model/errors.js';

const ThriftType = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  struct: 12,
} as const;

/** A field of a struct: its value is bytes[from .. to]. */
export interface ThriftField {
  readonly id: number;
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

const FIXED_SIZE: Readonly<Record<number, number>> = {
  [ThriftType.true]: 0,
  [ThriftType.false]: 0,
  [ThriftType.byte]: 1,
  [ThriftType.double]: 8,
};

function damaged(): CodedError {
  return new CodedError('INPUT', 'is damaged: its footer cannot be read.');
}

/** A place in bytes that moves on while it reads. */
class Cursor {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw damaged();
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Element type and count of a list. */
  listHeader(): readonly [type: number, size: number] {
    const byte = this.byte();
    return [byte & 0x0f, byte >> 4 === 15 ? this.varint() : byte >> 4];
  }

  skip(type: number): void {
    if (type === ThriftType.i16 || type === ThriftType.i32 || type === ThriftType.i64) {
      this.varint();
    } else if (type === ThriftType.binary) {
      const length = this.varint();
      this.at += length;
    } else if (type === ThriftType.list) {
      this.skipList();
    } else if (type === ThriftType.struct) {
      this.fields();
    } else {
      const size = FIXED_SIZE[type];
      if (size === undefined) throw damaged();
      this.at += size;
    }
    if (this.at > this.bytes.length) throw damaged();
  }

  skipList(): void {
    const [type, size] = this.listHeader();
    // Booleans take a byte each in a list, and none in a struct.
    const isBoolean = type === ThriftType.true || type === ThriftType.false;
    for (let i = 0; i < size; i++) this.skip(isBoolean ? ThriftType.byte : type);
  }

  fields(): ThriftField[] {
    const fields: ThriftField[] = [];
    let id = 0;
    for (;;) {
      const header = this.byte();
      const type = header & 0x0f;
      if (type === 0) return fields;
      if (header >> 4 === 0) {
        const zigzag = this.varint();
        id = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      } else {
        id += header >> 4;
      }
      const from = this.at;
      this.skip(type);
      fields.push({ id, type, from, to: this.at });
    }
  }
}

/** The fields of the struct that begins at `from`. @throws CodedError INPUT */
export function readFields(bytes: Uint8Array, from: number): ThriftField[] {
  return new Cursor(bytes, from).fields();
}

/** Where the elements of a list of structs begin. @throws CodedError INPUT */
export function readStructList(bytes: Uint8Array, from: number): number[] {
  const cursor = new Cursor(bytes, from);
  const [type, size] = cursor.listHeader();
  if (type !== ThriftType.struct) throw damaged();
  const starts: number[] = [];
  for (let i = 0; i < size; i++) {
    starts.push(cursor.at);
    cursor.skip(type);
  }
  return starts;
}

function varintBytes(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

/** A non-negative integer as a value. */
export function integerValue(value: number): Uint8Array {
  return Uint8Array.from(varintBytes(value * 2));
}

/** Structs as the value of a list. */
export function structListValue(structs: readonly Uint8Array[]): Uint8Array {
  const size = structs.length;
  const header =
    size < 15
      ? [(size << 4) | ThriftType.struct]
      : [0xf0 | ThriftType.struct, ...varintBytes(size)];
  return Buffer.concat([Uint8Array.from(header), ...structs]);
}

/** A struct made of `fields` of `bytes`, in their order, with the values of some replaced. */
export function rewriteStruct(
  bytes: Uint8Array,
  fields: readonly ThriftField[],
  replaced: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let last = 0;
  for (const { id, type, from, to } of fields) {
    const delta = id - last;
    const isShort = delta > 0 && delta <= 15;
    parts.push(Uint8Array.from(isShort ? [(delta << 4) | type] : [type, ...varintBytes(id * 2)]));
    parts.push(replaced.get(id) ?? bytes.subarray(from, to));
    last = id;
  }
  return Buffer.concat([...parts, Uint8Array.of(0)]);
}
