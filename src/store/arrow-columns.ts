import type {
  BytesColumn,
  ColumnArrays,
  ColumnSpec,
  ColumnSpecs,
  ColumnType,
} from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import { emptyColumn } from '../model/tables.js';
import type { ArrowBatch, ArrowSchema, BufferRegion } from './arrow-message.js';
import { arrowTypeName } from './arrow-schema.js';
import { decodeStrings } from './text.js';

/** Where a record batch comes from, for error messages, and how to read ranges of its body. */
export interface BatchSource {
  readonly path: string;
  /** "batch 3", "row group 5": the place in the file. */
  readonly place: string;
  /** 8-byte aligned memory that may be changed. */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
}

interface ColumnRegions {
  readonly nullCount: number;
  readonly validity: BufferRegion;
  /** Only of variable-length columns. */
  readonly offsets: BufferRegion | undefined;
  readonly data: BufferRegion;
}

function damaged(source: BatchSource, what: string): CodedError {
  return new CodedError(
    'INPUT',
    `is damaged in ${source.place}: ${what}.`,
    source.path,
    'Leave the file out, or restore it from a copy.',
  );
}

/** Index of a column in the file's schema. @throws CodedError INPUT if it is missing or of another type */
export function findColumn(
  schema: ArrowSchema,
  name: string,
  spec: ColumnSpec,
  path: string,
): number {
  const index = schema.fields.findIndex((field) => field.name === name);
  const found = schema.fields[index];
  if (found === undefined) {
    throw new CodedError(
      'INPUT',
      `has no column ${name}.`,
      path,
      'It was written by another version or program.',
    );
  }
  const expected = arrowTypeName(spec.type);
  if (found.type !== expected) {
    throw new CodedError(
      'INPUT',
      `has column ${name} as ${found.type}, expected ${expected}.`,
      path,
      'It was written by another version or program.',
    );
  }
  return index;
}

const VARIABLE = new Set(['Utf8', 'Binary']);
const FIXED = new Set(['Uint8', 'Uint16', 'Uint32', 'Int64', 'Uint64', 'Float64']);

/** Assigns the batch's flat list of buffers to the columns of a schema without nesting. */
function assignRegions(
  schema: ArrowSchema,
  batch: ArrowBatch,
  source: BatchSource,
): ColumnRegions[] {
  let next = 0;
  const take = (): BufferRegion => {
    const region = batch.buffers[next++];
    if (region === undefined) throw damaged(source, 'buffers are missing');
    return region;
  };
  return schema.fields.map((field, i) => {
    const { type } = field;
    if (!VARIABLE.has(type) && !FIXED.has(type)) {
      throw new CodedError(
        'INPUT',
        `has a column of type ${type}: not a file of aftertrace.`,
        source.path,
      );
    }
    const validity = take();
    const offsets = VARIABLE.has(type) ? take() : undefined;
    return { nullCount: batch.nullCounts[i] ?? 0, validity, offsets, data: take() };
  });
}

type NumericType = Exclude<ColumnType, 'utf8' | 'text' | 'binary'>;
type NumericArray = ColumnArrays[NumericType];

const VIEWS: {
  readonly [T in NumericType]: (bytes: Uint8Array<ArrayBuffer>, rows: number) => ColumnArrays[T];
} = {
  uint8: (b, n) => new Uint8Array(b.buffer, b.byteOffset, n),
  uint16: (b, n) => new Uint16Array(b.buffer, b.byteOffset, n),
  uint32: (b, n) => new Uint32Array(b.buffer, b.byteOffset, n),
  int64: (b, n) => new BigInt64Array(b.buffer, b.byteOffset, n),
  uint64: (b, n) => new BigUint64Array(b.buffer, b.byteOffset, n),
  float64: (b, n) => new Float64Array(b.buffer, b.byteOffset, n),
};
const WIDTH: Readonly<Record<NumericType, number>> = {
  uint8: 1,
  uint16: 2,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/** Puts the empty value where the bitmap says NULL: what lies there in the file is undefined. */
function clearNulls(values: NumericArray, bitmap: Uint8Array): void {
  for (let row = 0; row < values.length; row++) {
    if ((bitmap[row >> 3]! >> (row & 7)) & 1) continue;
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[row] = 0n;
    else values[row] = values instanceof Float64Array ? Number.NaN : 0;
  }
}

function checkOffsets(offsets: Int32Array, size: number): boolean {
  let before = offsets[0]!;
  if (before < 0) return false;
  for (let i = 1; i < offsets.length; i++) {
    const offset = offsets[i]!;
    if (offset < before) return false;
    before = offset;
  }
  return before <= size;
}

interface ColumnBytes {
  readonly nullCount: number;
  readonly validity: Uint8Array<ArrayBuffer>;
  readonly offsets: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Reads a column's buffers with one read: they lie side by side. */
function readRegions(regions: ColumnRegions, source: BatchSource): ColumnBytes {
  const { validity, offsets, data } = regions;
  const all = offsets === undefined ? [validity, data] : [validity, offsets, data];
  const used = all.filter((region) => region.length > 0);
  const from = Math.min(...used.map((region) => region.offset));
  const to = Math.max(...used.map((region) => region.offset + region.length));
  const bytes = used.length === 0 ? new Uint8Array(0) : source.read(from, to - from);
  const cut = (region: BufferRegion | undefined) => {
    if (region === undefined || region.length === 0) return new Uint8Array(0);
    const part = bytes.subarray(region.offset - from, region.offset - from + region.length);
    // Views need aligned memory; other writers than ours may not align.
    return part.byteOffset % 8 === 0 ? part : part.slice();
  };
  return {
    nullCount: regions.nullCount,
    validity: cut(validity),
    offsets: cut(offsets),
    data: cut(data),
  };
}

function decodeVariable(bytes: ColumnBytes, rows: number, source: BatchSource): BytesColumn {
  // Arrow allows the offsets of an empty column to be left out.
  if (rows === 0) return { offsets: new Int32Array(1), data: new Uint8Array(0) };
  if (bytes.offsets.length < 4 * (rows + 1)) throw damaged(source, 'offsets are missing');
  const offsets = new Int32Array(bytes.offsets.buffer, bytes.offsets.byteOffset, rows + 1);
  if (!checkOffsets(offsets, bytes.data.length)) throw damaged(source, 'offsets are out of order');
  const first = offsets[0]!;
  if (first === 0) return { offsets, data: bytes.data.subarray(0, offsets[rows]) };
  return {
    offsets: offsets.map((o) => o - first),
    data: bytes.data.subarray(first, offsets[rows]),
  };
}

function decodeColumn(
  spec: ColumnSpec,
  bytes: ColumnBytes,
  rows: number,
  source: BatchSource,
): ColumnArrays[ColumnType] {
  if (spec.type === 'utf8') return decodeStrings(decodeVariable(bytes, rows, source));
  if (spec.type === 'text' || spec.type === 'binary') return decodeVariable(bytes, rows, source);
  if (bytes.data.length < rows * WIDTH[spec.type]) throw damaged(source, 'values are missing');
  const values = VIEWS[spec.type](bytes.data, rows);
  if (bytes.nullCount > 0) {
    if (bytes.validity.length * 8 < rows) throw damaged(source, 'a validity bitmap is missing');
    clearNulls(values, bytes.validity);
  }
  return values;
}

/** The columns `names` of a record batch, and `rows`; only their bytes are read. @throws CodedError INPUT */
export function decodeBatch(
  schema: ArrowSchema,
  batch: ArrowBatch,
  specs: ColumnSpecs,
  names: readonly string[],
  source: BatchSource,
): Record<string, ColumnArrays[ColumnType] | number> {
  const regions = assignRegions(schema, batch, source);
  const { rows } = batch;
  const columns: Record<string, ColumnArrays[ColumnType] | number> = { rows };
  for (const name of names) {
    const spec = specs[name];
    if (spec === undefined) throw new CodedError('USAGE', `There is no column ${name}.`, name);
    if (spec.later && !schema.fields.some((field) => field.name === name)) {
      columns[name] = emptyColumn(spec.type, rows);
      continue;
    }
    const index = findColumn(schema, name, spec, source.path);
    columns[name] = decodeColumn(spec, readRegions(regions[index]!, source), rows, source);
  }
  return columns;
}
