import type { BytesColumn, ColumnArrays, ColumnSpecs, ColumnType, TableOf } from './columns.js';

type AnyColumn = ColumnArrays[ColumnType];
type NumericColumn = Exclude<AnyColumn, string[] | BytesColumn>;

const NUMERIC: Readonly<Record<string, (rows: number) => NumericColumn>> = {
  uint8: (n) => new Uint8Array(n),
  uint16: (n) => new Uint16Array(n),
  uint32: (n) => new Uint32Array(n),
  int64: (n) => new BigInt64Array(n),
  uint64: (n) => new BigUint64Array(n),
  float64: (n) => new Float64Array(n),
};

function isBytes(column: AnyColumn): column is BytesColumn {
  return !Array.isArray(column) && 'offsets' in column;
}

/** A column of `rows` empty values (0, '', no bytes). Float columns start at 0, not NaN. */
export function emptyColumn(type: ColumnType, rows: number): AnyColumn {
  if (type === 'utf8') return new Array<string>(rows).fill('');
  if (type === 'text' || type === 'binary') {
    return { offsets: new Int32Array(rows + 1), data: new Uint8Array(0) };
  }
  return (NUMERIC[type] as (rows: number) => NumericColumn)(rows);
}

/** A table of `rows` empty rows, to be filled in place (text and binary columns must be replaced). */
export function emptyTable<S extends ColumnSpecs>(specs: S, rows: number): TableOf<S> {
  const columns: Record<string, AnyColumn | number> = { rows };
  for (const [name, spec] of Object.entries(specs)) columns[name] = emptyColumn(spec.type, rows);
  return columns as TableOf<S>;
}

/** Up to so many bytes are copied faster one by one. */
const FEW_BYTES = 32;

function takeBytes(column: BytesColumn, indices: Uint32Array): BytesColumn {
  const offsets = new Int32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    offsets[i + 1] = offsets[i]! + column.offsets[row + 1]! - column.offsets[row]!;
  }
  const data = new Uint8Array(offsets[indices.length]!);
  if (data.length === 0) return { offsets, data };
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    const from = column.offsets[row]!;
    const to = column.offsets[row + 1]!;
    if (to - from > FEW_BYTES) data.set(column.data.subarray(from, to), offsets[i]!);
    else for (let at = from; at < to; at++) data[offsets[i]! + at - from] = column.data[at]!;
  }
  return { offsets, data };
}

// One function per width: a loop that meets several kinds of arrays is several times slower,
// and reading 64 bits as one value makes an object.
function gather8(out: Uint8Array, from: Uint8Array, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i++) out[i] = from[indices[i]!]!;
}
function gather16(out: Uint16Array, from: Uint16Array, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i++) out[i] = from[indices[i]!]!;
}
function gather32(out: Uint32Array, from: Uint32Array, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i++) out[i] = from[indices[i]!]!;
}
function gather64(out: Uint32Array, from: Uint32Array, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i++) {
    const row = 2 * indices[i]!;
    out[2 * i] = from[row]!;
    out[2 * i + 1] = from[row + 1]!;
  }
}

function takeNumbers(column: NumericColumn, out: NumericColumn, indices: Uint32Array): void {
  const width = column.BYTES_PER_ELEMENT;
  const words = ({ buffer, byteOffset, byteLength }: NumericColumn) =>
    new Uint32Array(buffer, byteOffset, byteLength / 4);
  if (width === 8) gather64(words(out), words(column), indices);
  else if (width === 4) gather32(out as Uint32Array, column as Uint32Array, indices);
  else if (width === 2) gather16(out as Uint16Array, column as Uint16Array, indices);
  else gather8(out as Uint8Array, column as Uint8Array, indices);
}

function takeColumn(column: AnyColumn, type: ColumnType, indices: Uint32Array): AnyColumn {
  if (Array.isArray(column)) return Array.from(indices, (row) => column[row]!);
  if (isBytes(column)) return takeBytes(column, indices);
  const out = (NUMERIC[type] as (rows: number) => NumericColumn)(indices.length);
  takeNumbers(column, out, indices);
  return out;
}

/** The rows named by `indices`, in that order, as a new table. */
export function takeRows<S extends ColumnSpecs>(
  specs: S,
  table: TableOf<S>,
  indices: Uint32Array,
): TableOf<S> {
  const source: Record<string, AnyColumn | number> = table;
  const columns: Record<string, AnyColumn | number> = { rows: indices.length };
  for (const [name, spec] of Object.entries(specs)) {
    columns[name] = takeColumn(source[name] as AnyColumn, spec.type, indices);
  }
  return columns as TableOf<S>;
}

function concatBytes(parts: readonly BytesColumn[], rows: number): BytesColumn {
  const offsets = new Int32Array(rows + 1);
  let row = 0;
  let size = 0;
  for (const part of parts) {
    const first = part.offsets[0]!;
    const count = part.offsets.length - 1;
    for (let i = 1; i <= count; i++) offsets[row + i] = size + part.offsets[i]! - first;
    row += count;
    size += part.offsets[count]! - first;
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    const bytes = part.data.subarray(part.offsets[0]!, part.offsets[part.offsets.length - 1]!);
    data.set(bytes, at);
    at += bytes.length;
  }
  return { offsets, data };
}

function concatColumn(parts: readonly AnyColumn[], type: ColumnType, rows: number): AnyColumn {
  if (type === 'utf8') return (parts as string[][]).flat();
  if (type === 'text' || type === 'binary') return concatBytes(parts as BytesColumn[], rows);
  const out = (NUMERIC[type] as (rows: number) => NumericColumn)(rows);
  let at = 0;
  for (const part of parts as NumericColumn[]) {
    // All parts share one element type, which the union cannot express.
    (out as Float64Array).set(part as Float64Array, at);
    at += part.length;
  }
  return out;
}

/** All rows of `tables`, one after another, as a new table. */
export function concatTables<S extends ColumnSpecs>(
  specs: S,
  tables: readonly TableOf<S>[],
): TableOf<S> {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const columns: Record<string, AnyColumn | number> = { rows };
  for (const [name, spec] of Object.entries(specs)) {
    const parts = tables.map((table) => (table as Record<string, AnyColumn | number>)[name]);
    columns[name] = concatColumn(parts as AnyColumn[], spec.type, rows);
  }
  return columns as TableOf<S>;
}
