/**
 * Reads the metadata of Arrow IPC messages: the few parts that a stream of flat record
 * batches needs, each access checked. (apache-arrow's own decoder trusts lengths in the
 * flatbuffer, so that one damaged byte can cost gigabytes.)
 * https://github.com/apache/arrow/blob/main/format/Message.fbs and Schema.fbs
 */
import { CodedError } from '../model/errors.js';

interface ArrowField {
  readonly name: string;
  /** As apache-arrow prints it: Uint8, Int64, Float64, Utf8, Binary; else `type 12`. */
  readonly type: string;
}
export interface ArrowSchema {
  readonly fields: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
}
/** A range of a record batch's body. */
export interface BufferRegion {
  readonly offset: number;
  readonly length: number;
}
export interface ArrowBatch {
  readonly rows: number;
  /** One per column. */
  readonly nullCounts: readonly number[];
  readonly buffers: readonly BufferRegion[];
}
export interface ArrowMessage {
  readonly bodyLength: number;
  /** Exactly one of both, or none for a message of another kind. */
  readonly schema?: ArrowSchema;
  readonly batch?: ArrowBatch;
}

const HeaderType = { schema: 1, recordBatch: 3 } as const;
const TypeId = { int: 2, float: 3, binary: 4, utf8: 5 } as const;

/** More than any file of aftertrace has: bounds the work that a crafted message can cause. */
const MAX_TABLES = 1000;
const MAX_STRING = 1024 * 1024;

function damaged(): CodedError {
  return new CodedError('INPUT', 'is damaged: an Arrow message cannot be read.');
}

/** A table of a flatbuffer: its slots hold numbers, or point to strings, tables, vectors. */
class FlatTable {
  readonly #view: DataView;
  readonly #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  /** The root table of a buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Where the slot's value lies; 0 if it was left out. */
  #slot(index: number): number {
    const table = this.#at - this.#view.getInt32(this.#at, true);
    const entry = 4 + 2 * index;
    if (entry >= this.#view.getUint16(table, true)) return 0;
    const offset = this.#view.getUint16(table + entry, true);
    return offset === 0 ? 0 : this.#at + offset;
  }

  #target(index: number): number {
    const slot = this.#slot(index);
    return slot === 0 ? 0 : slot + this.#view.getUint32(slot, true);
  }

  uint8(index: number): number {
    const slot = this.#slot(index);
    return slot === 0 ? 0 : this.#view.getUint8(slot);
  }

  int16(index: number): number {
    const slot = this.#slot(index);
    return slot === 0 ? 0 : this.#view.getInt16(slot, true);
  }

  int32(index: number): number {
    const slot = this.#slot(index);
    return slot === 0 ? 0 : this.#view.getInt32(slot, true);
  }

  /** A 64-bit count or offset. */
  count(index: number): number {
    const slot = this.#slot(index);
    return slot === 0 ? 0 : toCount(this.#view.getBigInt64(slot, true));
  }

  table(index: number): FlatTable {
    const at = this.#target(index);
    if (at === 0) throw damaged();
    return new FlatTable(this.#view, at);
  }

  string(index: number): string {
    const at = this.#target(index);
    if (at === 0) return '';
    const [start, length] = this.#vector(at, 1);
    if (length > MAX_STRING) throw damaged();
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length);
    return new TextDecoder().decode(bytes);
  }

  /** Start and length of a vector whose elements take `size` bytes and lie inside the buffer. */
  #vector(at: number, size: number): readonly [start: number, length: number] {
    const length = this.#view.getUint32(at, true);
    if (at + 4 + length * size > this.#view.byteLength) throw damaged();
    return [at + 4, length];
  }

  tables(index: number): FlatTable[] {
    const at = this.#target(index);
    if (at === 0) return [];
    const [start, length] = this.#vector(at, 4);
    if (length > MAX_TABLES) throw damaged();
    return Array.from({ length }, (_, i) => {
      const slot = start + 4 * i;
      return new FlatTable(this.#view, slot + this.#view.getUint32(slot, true));
    });
  }

  /** A vector of structs of two 64-bit counts. */
  pairs(index: number): (readonly [number, number])[] {
    const at = this.#target(index);
    if (at === 0) return [];
    const [start, length] = this.#vector(at, 16);
    return Array.from({ length }, (_, i) => [
      toCount(this.#view.getBigInt64(start + 16 * i, true)),
      toCount(this.#view.getBigInt64(start + 16 * i + 8, true)),
    ]);
  }
}

function toCount(value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged();
  return Number(value);
}

/** Slots of Field: 0 name, 2 type id, 3 type. */
function readField(field: FlatTable): ArrowField {
  const name = field.string(0);
  const id = field.uint8(2);
  if (id === TypeId.utf8) return { name, type: 'Utf8' };
  if (id === TypeId.binary) return { name, type: 'Binary' };
  if (id === TypeId.int) {
    const type = field.table(3);
    return { name, type: `${type.uint8(1) === 0 ? 'Uint' : 'Int'}${type.int32(0)}` };
  }
  if (id === TypeId.float) return { name, type: `Float${16 << field.table(3).int16(0)}` };
  return { name, type: `type ${id}` };
}

/** Slots of Schema: 1 fields, 2 metadata. */
function readSchema(schema: FlatTable): ArrowSchema {
  return {
    fields: schema.tables(1).map(readField),
    metadata: new Map(schema.tables(2).map((pair) => [pair.string(0), pair.string(1)])),
  };
}

/** Slots of RecordBatch: 0 length, 1 nodes (length, null count), 2 buffers (offset, length), 3 compression. */
function readBatch(batch: FlatTable): ArrowBatch {
  return {
    rows: batch.count(0),
    nullCounts: batch.pairs(1).map(([, nullCount]) => nullCount),
    buffers: batch.pairs(2).map(([offset, length]) => ({ offset, length })),
  };
}

/** Decodes the metadata of one message. Slots: 1 header type, 2 header, 3 body length. @throws CodedError INPUT */
export function decodeMessage(bytes: Uint8Array): ArrowMessage {
  try {
    const message = FlatTable.root(bytes);
    const bodyLength = message.count(3);
    const type = message.uint8(1);
    if (type === HeaderType.schema) return { bodyLength, schema: readSchema(message.table(2)) };
    if (type === HeaderType.recordBatch) return { bodyLength, batch: readBatch(message.table(2)) };
    return { bodyLength };
  } catch (cause) {
    // A RangeError: an offset that points outside of the buffer.
    throw cause instanceof CodedError ? cause : damaged();
  }
}
