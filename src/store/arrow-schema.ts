import {
  Binary,
  type Data,
  type DataType,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import type {
  BytesColumn,
  ColumnArrays,
  ColumnSpec,
  ColumnSpecs,
  ColumnType,
  TableOf,
} from '../model/columns.js';
import { encodeStrings, wellFormedText } from './text.js';

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

/** A validity bitmap (LSB first), or undefined where every value is there. */
interface Validity {
  readonly nullCount: number;
  readonly bitmap: Uint8Array | undefined;
}
const ALL_VALID: Validity = { nullCount: 0, bitmap: undefined };

function validity(rows: number, isEmpty: (row: number) => boolean): Validity {
  const bitmap = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < rows; row++) {
    if (isEmpty(row)) nullCount++;
    else bitmap[row >> 3]! |= 1 << (row & 7);
  }
  return nullCount === 0 ? ALL_VALID : { nullCount, bitmap };
}

function bytesData(spec: ColumnSpec, column: BytesColumn, rows: number): Data {
  const { offsets } = column;
  const { nullCount, bitmap } = spec.nullable
    ? validity(rows, (row) => offsets[row] === offsets[row + 1])
    : ALL_VALID;
  const common = {
    length: rows,
    nullCount,
    nullBitmap: bitmap,
    valueOffsets: offsets.subarray(0, rows + 1),
    data: column.data.subarray(0, offsets[rows]),
  };
  return spec.type === 'binary'
    ? makeData({ type: new Binary(), ...common })
    : makeData({ type: new Utf8(), ...common });
}

type NumericArray = ColumnArrays[Exclude<ColumnType, 'utf8' | 'text' | 'binary'>];

function numericData(spec: ColumnSpec, column: NumericArray, rows: number): Data {
  // NaN is the empty float; 0 the empty integer of either width.
  const isEmpty =
    spec.type === 'float64'
      ? (row: number) => Number.isNaN(column[row])
      : (row: number) => !column[row];
  const { nullCount, bitmap } = spec.nullable ? validity(rows, isEmpty) : ALL_VALID;
  return makeData({
    // The type and the array follow from the same spec, which the union cannot express.
    type: ARROW_TYPES[spec.type] as Int64,
    length: rows,
    nullCount,
    nullBitmap: bitmap,
    data: column.subarray(0, rows) as BigInt64Array,
  });
}

function columnData(spec: ColumnSpec, column: ColumnArrays[ColumnType], rows: number): Data {
  if (Array.isArray(column)) return bytesData(spec, encodeStrings(column), rows);
  if ('offsets' in column) {
    return bytesData(spec, spec.type === 'text' ? wellFormedText(column, rows) : column, rows);
  }
  return numericData(spec, column, rows);
}

/**
 * A record batch over the table's own arrays: nothing is copied, except strings and
 * ill-formed text. The batch is valid as long as the arrays are not changed.
 */
export function arrowBatch<S extends ColumnSpecs>(
  schema: Schema,
  specs: S,
  table: TableOf<S>,
): RecordBatch {
  const columns: Record<string, ColumnArrays[ColumnType] | number> = table;
  const children = Object.entries(specs).map(([name, spec]) =>
    columnData(spec, columns[name] as ColumnArrays[ColumnType], table.rows),
  );
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: table.rows, nullCount: 0, children }),
  );
}
