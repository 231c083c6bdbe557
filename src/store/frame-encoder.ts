/**
 * Writes the record batches of the Arrow IPC *stream* format: what arrow-frames.ts reads. A
 * recorder that writes a few small batches a second would spend most of its time in a general
 * encoder.
 */
import type {
  BytesColumn,
  ColumnArrays,
  ColumnSpec,
  ColumnSpecs,
  ColumnType,
  TableOf,
} from '../model/columns.js';
import { BatchMessage } from './batch-message.js';
import { encodeStrings, wellFormedText } from './text.js';

type NumericArray = ColumnArrays[Exclude<ColumnType, 'utf8' | 'text' | 'binary'>];

const PADDING = new Uint8Array(8);

/** Which values are there, one bit each, lowest first; undefined where all are. */
interface Validity {
  readonly nullCount: number;
  readonly bitmap: Uint8Array | undefined;
}
const ALL_VALID: Validity = { nullCount: 0, bitmap: undefined };

function validOffsets(offsets: Int32Array, rows: number): Validity {
  const bitmap = new Uint8Array((rows + 7) >> 3);
  if (offsets[0] === offsets[rows]) return { nullCount: rows, bitmap };
  let nullCount = 0;
  for (let row = 0; row < rows; row++) {
    if (offsets[row] === offsets[row + 1]) nullCount++;
    else bitmap[row >> 3]! |= 1 << (row & 7);
  }
  return nullCount === 0 ? ALL_VALID : { nullCount, bitmap };
}

function validNumbers(column: NumericArray, rows: number): Validity {
  const bitmap = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < rows; row++) {
    // NaN is the empty float; 0 the empty integer of either width.
    const value = column[row];
    const isEmpty = column instanceof Float64Array ? Number.isNaN(value) : !value;
    if (isEmpty) nullCount++;
    else bitmap[row >> 3]! |= 1 << (row & 7);
  }
  return nullCount === 0 ? ALL_VALID : { nullCount, bitmap };
}

/** Memory that a frame holds once, and where in its body; undefined before it is there. */
interface Region {
  bytes: Uint8Array;
  at: number | undefined;
}

/**
 * Encodes tables with one set of columns as record batch frames, without joining their buffers. Columns that
 * begin with the same memory share it in the frame: a recorder's batches have many of nothing but zeros.
 */
export class FrameEncoder<S extends ColumnSpecs> {
  readonly #specs: readonly (readonly [name: string, spec: ColumnSpec])[];
  readonly #message: BatchMessage;
  #chunks: Uint8Array[] = [];
  /** What begins an ArrayBuffer: the longest view of it. */
  readonly #beginnings = new Map<ArrayBufferLike, Region>();

  constructor(specs: S) {
    this.#specs = Object.entries(specs);
    const isBytes = ({ type }: ColumnSpec) =>
      type === 'utf8' || type === 'text' || type === 'binary';
    const buffers = this.#specs.reduce((sum, [, spec]) => sum + (isBytes(spec) ? 3 : 2), 0);
    this.#message = new BatchMessage(this.#specs.length, buffers);
  }

  /**
   * One frame. Its chunks view the table's own arrays: write them before those change.
   * @param alignment a power of two: the frame is padded to a multiple of it
   */
  encode(table: TableOf<S>, alignment = 8): Uint8Array[] {
    const columns: Record<string, ColumnArrays[ColumnType] | number> = table;
    const { rows } = table;
    this.#message.begin(rows);
    const chunks: Uint8Array[] = [new Uint8Array(0)];
    this.#chunks = chunks;
    for (const [name] of this.#specs)
      this.#noteBeginning(columns[name] as ColumnArrays[ColumnType], rows);
    for (const [name, spec] of this.#specs) {
      const column = columns[name] as ColumnArrays[ColumnType];
      if (Array.isArray(column)) this.#bytes(spec, encodeStrings(column), rows);
      else if (!('offsets' in column)) this.#numbers(spec, column, rows);
      else this.#bytes(spec, spec.type === 'text' ? wellFormedText(column, rows) : column, rows);
    }
    const padding = this.#message.align(alignment);
    if (padding > 0) chunks.push(new Uint8Array(padding));
    chunks[0] = this.#message.end();
    this.#chunks = [];
    this.#beginnings.clear();
    return chunks;
  }

  #numbers(spec: ColumnSpec, column: NumericArray, rows: number): void {
    const { nullCount, bitmap } = spec.nullable ? validNumbers(column, rows) : ALL_VALID;
    this.#message.node(rows, nullCount);
    this.#buffer(bitmap);
    this.#buffer(column.subarray(0, rows));
  }

  #bytes(spec: ColumnSpec, { offsets, data }: BytesColumn, rows: number): void {
    const { nullCount, bitmap } = spec.nullable ? validOffsets(offsets, rows) : ALL_VALID;
    this.#message.node(rows, nullCount);
    this.#buffer(bitmap);
    this.#buffer(offsets.subarray(0, rows + 1));
    this.#buffer(data.subarray(0, offsets[rows]));
  }

  #noteBeginning(column: ColumnArrays[ColumnType], rows: number): void {
    if (Array.isArray(column)) return;
    const values =
      'offsets' in column ? column.offsets.subarray(0, rows + 1) : column.subarray(0, rows);
    const { buffer, byteOffset, byteLength } = values;
    if (byteOffset !== 0) return;
    const known = this.#beginnings.get(buffer);
    if (known !== undefined && known.bytes.length >= byteLength) return;
    this.#beginnings.set(buffer, { bytes: new Uint8Array(buffer, 0, byteLength), at: undefined });
  }

  #buffer(values: ArrayBufferView | undefined): void {
    const length = values?.byteLength ?? 0;
    if (values === undefined || length === 0) {
      this.#message.buffer(this.#message.place(0), 0);
      return;
    }
    const { buffer, byteOffset } = values;
    let region = byteOffset === 0 ? this.#beginnings.get(buffer) : undefined;
    if (region === undefined || region.bytes.length < length) {
      region = { bytes: new Uint8Array(buffer, byteOffset, length), at: undefined };
    }
    region.at ??= this.#place(region.bytes);
    this.#message.buffer(region.at, length);
  }

  #place(bytes: Uint8Array): number {
    this.#chunks.push(bytes);
    const padding = -bytes.length & 7;
    if (padding > 0) this.#chunks.push(PADDING.subarray(0, padding));
    return this.#message.place(bytes.length);
  }
}
