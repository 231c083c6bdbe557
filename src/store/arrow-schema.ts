import {
  Binary,
  type DataType,
  Field,
  Float64,
  Int64,
  Schema,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import type { ColumnSpecs, ColumnType } from '../model/columns.js';

/**
 * Arrow types of the column types. Times stay Int64 on purpose: as Timestamp(ns, UTC)
 * DuckDB would round them to microseconds (see docs/format.md).
 */
const ARROW_TYPES: Readonly<Record<ColumnType, DataType>> = {
  uint8: new Uint8(),
  uint16: new Uint16(),
  uint32: new Uint32(),
  int64: new Int64(),
  uint64: new Uint64(),
  float64: new Float64(),
  utf8: new Utf8(),
  text: new Utf8(),
  binary: new Binary(),
};

/** Arrow's name of a column type, to compare the schema of a file with. */
export function arrowTypeName(type: ColumnType): string {
  return String(ARROW_TYPES[type]);
}

const COLUMN_TYPES: ReadonlyMap<string, ColumnType> = new Map([
  ['Uint8', 'uint8'],
  ['Uint16', 'uint16'],
  ['Uint32', 'uint32'],
  ['Int64', 'int64'],
  ['Uint64', 'uint64'],
  ['Utf8', 'text'],
  ['Binary', 'binary'],
]);

/** The column type of an Arrow type by its name, 'utf8' as text; undefined if segments have no such columns. */
export function columnTypeOf(arrowType: string): ColumnType | undefined {
  return COLUMN_TYPES.get(arrowType);
}

/** The Arrow schema that follows from specs; each field carries its documentation as metadata. */
export function arrowSchema(
  specs: ColumnSpecs,
  metadata: Readonly<Record<string, string>> = {},
): Schema {
  const fields = Object.entries(specs).map(
    ([name, spec]) =>
      new Field(name, ARROW_TYPES[spec.type], spec.nullable ?? false, new Map([['doc', spec.doc]])),
  );
  return new Schema(fields, new Map(Object.entries(metadata)));
}
