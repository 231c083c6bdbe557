/**
 * The schema message that an Arrow IPC stream begins with, and the names of Arrow's types.
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */
import { Builder } from 'flatbuffers';
import type { ColumnSpec, ColumnSpecs, ColumnType } from '../model/columns.js';

/** Slots of the tables, in the order of the format's files. */
const Slot = {
  message: { version: 0, headerType: 1, header: 2, bodyLength: 3, count: 5 },
  schema: { endianness: 0, fields: 1, metadata: 2, count: 4 },
  field: { name: 0, nullable: 1, typeType: 2, type: 3, children: 5, metadata: 6, count: 7 },
  keyValue: { key: 0, value: 1, count: 2 },
  int: { bitWidth: 0, isSigned: 1, count: 2 },
  float: { precision: 0, count: 1 },
} as const;
const TypeId = { int: 2, float: 3, binary: 4, utf8: 5 } as const;
const DOUBLE = 2;
const METADATA_V5 = 4;
const SCHEMA = 1;

interface ArrowType {
  /** As arrow-message.ts prints it. */
  readonly name: string;
  readonly id: number;
  readonly bits?: number;
  readonly isSigned?: boolean;
}

/**
 * Arrow types of the column types. Times stay Int64 on purpose: as Timestamp(ns, UTC)
 * DuckDB would round them to microseconds (see docs/format.md).
 */
const ARROW_TYPES: Readonly<Record<ColumnType, ArrowType>> = {
  uint8: { name: 'Uint8', id: TypeId.int, bits: 8 },
  uint16: { name: 'Uint16', id: TypeId.int, bits: 16 },
  uint32: { name: 'Uint32', id: TypeId.int, bits: 32 },
  uint64: { name: 'Uint64', id: TypeId.int, bits: 64 },
  int64: { name: 'Int64', id: TypeId.int, bits: 64, isSigned: true },
  float64: { name: 'Float64', id: TypeId.float },
  utf8: { name: 'Utf8', id: TypeId.utf8 },
  text: { name: 'Utf8', id: TypeId.utf8 },
  binary: { name: 'Binary', id: TypeId.binary },
};

/** Arrow's name of a column type, to compare the schema of a file with. */
export function arrowTypeName(type: ColumnType): string {
  return ARROW_TYPES[type].name;
}

/** The type of a segment's column by the name of its Arrow type; undefined if segments have no such columns. */
export function columnTypeOf(arrowType: string): ColumnType | undefined {
  const types = ['uint8', 'uint16', 'uint32', 'int64', 'uint64', 'text', 'binary'] as const;
  return types.find((type) => ARROW_TYPES[type].name === arrowType);
}

function writeVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

function writeMetadata(builder: Builder, metadata: Readonly<Record<string, string>>): number {
  const pairs = Object.entries(metadata).map(([name, text]) => {
    const key = builder.createString(name);
    const value = builder.createString(text);
    builder.startObject(Slot.keyValue.count);
    builder.addFieldOffset(Slot.keyValue.key, key, 0);
    builder.addFieldOffset(Slot.keyValue.value, value, 0);
    return builder.endObject();
  });
  return writeVector(builder, pairs);
}

function writeType(builder: Builder, { id, bits = 0, isSigned = false }: ArrowType): number {
  if (id === TypeId.int) {
    builder.startObject(Slot.int.count);
    builder.addFieldInt32(Slot.int.bitWidth, bits, 0);
    builder.addFieldInt8(Slot.int.isSigned, Number(isSigned), 0);
  } else if (id === TypeId.float) {
    builder.startObject(Slot.float.count);
    builder.addFieldInt16(Slot.float.precision, DOUBLE, 0);
  } else {
    builder.startObject(0);
  }
  return builder.endObject();
}

/** Each field carries its documentation as metadata. */
function writeField(builder: Builder, name: string, spec: ColumnSpec): number {
  const arrowType = ARROW_TYPES[spec.type];
  const nameText = builder.createString(name);
  const type = writeType(builder, arrowType);
  const children = writeVector(builder, []);
  const metadata = writeMetadata(builder, { doc: spec.doc });
  builder.startObject(Slot.field.count);
  builder.addFieldOffset(Slot.field.name, nameText, 0);
  builder.addFieldInt8(Slot.field.nullable, Number(spec.nullable ?? false), 0);
  builder.addFieldInt8(Slot.field.typeType, arrowType.id, 0);
  builder.addFieldOffset(Slot.field.type, type, 0);
  builder.addFieldOffset(Slot.field.children, children, 0);
  builder.addFieldOffset(Slot.field.metadata, metadata, 0);
  return builder.endObject();
}

/** A flatbuffer as a frame without a body, padded to a multiple of `alignment` bytes. */
function frameOf(message: Uint8Array, alignment: number): Uint8Array {
  const length = Math.ceil((8 + message.length) / alignment) * alignment;
  const frame = new Uint8Array(length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, length - 8, true);
  frame.set(message, 8);
  return frame;
}

/** The frame that a stream of such columns begins with. */
export function schemaFrame(
  specs: ColumnSpecs,
  metadata: Readonly<Record<string, string>> = {},
  alignment = 8,
): Uint8Array {
  const builder = new Builder(16_384);
  const fields = Object.entries(specs).map(([name, spec]) => writeField(builder, name, spec));
  const fieldVector = writeVector(builder, fields);
  const metadataVector = writeMetadata(builder, metadata);
  builder.startObject(Slot.schema.count);
  builder.addFieldOffset(Slot.schema.fields, fieldVector, 0);
  builder.addFieldOffset(Slot.schema.metadata, metadataVector, 0);
  const schema = builder.endObject();
  builder.startObject(Slot.message.count);
  builder.addFieldInt16(Slot.message.version, METADATA_V5, 0);
  builder.addFieldInt8(Slot.message.headerType, SCHEMA, 0);
  builder.addFieldOffset(Slot.message.header, schema, 0);
  builder.finish(builder.endObject());
  return frameOf(builder.asUint8Array(), alignment);
}
