/**
 * Tables as columns: how every stage of aftertrace holds many rows at once.
 * A table's columns are defined once, as specs with their documentation; the
 * types, the Arrow and Parquet schemas and the docs all follow from the specs.
 */

/** Variable-length values: value i is data[offsets[i] .. offsets[i + 1]]. Empty means none. */
export interface BytesColumn {
  /** rows + 1 entries, starting at 0, never decreasing. */
  readonly offsets: Int32Array;
  readonly data: Uint8Array;
}

/** In-memory form of each column type. `text` is UTF-8 kept as bytes, `utf8` is decoded strings. */
export interface ColumnArrays {
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  float64: Float64Array;
  utf8: string[];
  text: BytesColumn;
  binary: BytesColumn;
}
export type ColumnType = keyof ColumnArrays;

export interface ColumnSpec {
  readonly type: ColumnType;
  /** What the column means, with unit and range: copied into the docs and the file. */
  readonly doc: string;
  /** True where the empty value (0, NaN, '' or no bytes) is stored as NULL and read back as empty. */
  readonly nullable?: boolean;
  /**
   * How Parquet should store it: `dictionary` for few distinct values (the default),
   * `delta` for slowly rising integers, `plain` for high-entropy values.
   */
  readonly encoding?: 'dictionary' | 'delta' | 'plain';
  /** Files written before the column existed lack it: read as empty. Other columns must be there. */
  readonly later?: boolean;
}

export type ColumnSpecs = Readonly<Record<string, ColumnSpec>>;

/** The table type that follows from specs: `rows` and one array per column. */
export type TableOf<S extends ColumnSpecs> = { readonly rows: number } & {
  readonly [K in keyof S]: ColumnArrays[S[K]['type']];
};
