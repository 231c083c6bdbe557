import type { ColumnSpecs, TableOf } from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import { readFrame } from './arrow-file.js';
import { END_OF_STREAM, indexFrames } from './arrow-frames.js';
import { schemaFrame } from './arrow-schema.js';
import { writeFileDurably } from './durable-file.js';
import { packMetadata } from './file-metadata.js';
import { FrameEncoder } from './frame-encoder.js';
import { loadEngine, type ParquetProfile, writerProperties } from './parquet-engine.js';
import { excerpt } from './parquet-excerpt.js';
import { type ParquetFooter, readFooter } from './parquet-footer.js';
import { memorySource, type OpenSource, RandomFile } from './random-file.js';
import { concatParts } from './table-file.js';

/**
 * Writes a table as one Parquet file, mode 0600; it appears whole or not at all. The
 * same input gives the same bytes. @throws CodedError OUTPUT
 */
export async function writeParquet<S extends ColumnSpecs>(
  path: string,
  specs: S,
  table: TableOf<S>,
  metadata: Readonly<Record<string, string>> = {},
  profile: ParquetProfile = 'compact',
): Promise<void> {
  const wasm = await loadEngine();
  const packed = packMetadata(metadata);
  const chunks = new FrameEncoder(specs).encode(table);
  const stream = Buffer.concat([schemaFrame(specs, packed), ...chunks, END_OF_STREAM]);
  const properties = writerProperties(wasm, specs, new Map(Object.entries(packed)), profile);
  // Both arguments are consumed: there is nothing to free.
  writeFileDurably(path, wasm.writeParquet(wasm.Table.fromIPCStream(stream), properties));
}

/** Reads row groups of one Parquet file; keeps the file and its decoded footer until closed. */
export class ParquetReader {
  readonly path: string;
  readonly bytes: number;
  readonly footer: ParquetFooter;
  readonly #file: OpenSource;

  /** Reads only the footer. Takes over a source that is open already. @throws CodedError INPUT */
  constructor(file: string | OpenSource) {
    this.#file = typeof file === 'string' ? new RandomFile(file) : file;
    this.path = this.#file.path;
    this.bytes = this.#file.size;
    try {
      this.footer = readFooter(this.#file);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** The columns `names` of row group `index`. @throws CodedError INPUT naming file and row group */
  async readGroup<S extends ColumnSpecs, K extends keyof S & string>(
    index: number,
    specs: S,
    names: readonly K[],
  ): Promise<Pick<TableOf<S>, K | 'rows'>> {
    const rows = this.footer.rowGroups[index]!.rows;
    if (names.length === 0) return { rows } as Pick<TableOf<S>, K | 'rows'>;
    const present = this.#presentNames(specs, names);
    const place = `row group ${index}`;
    const bytes = await this.#readStream(index, present, rows);
    const source = memorySource(this.path, bytes);
    const { schema, frames } = indexFrames(source);
    const parts = frames.map(
      (frame) => readFrame(source, schema, frame, place, specs, names) as TableOf<S>,
    );
    const table = parts.length === 1 ? parts[0]! : concatParts(specs, names, parts);
    if (table.rows !== rows) throw this.#damaged(index, `${table.rows} rows, expected ${rows}`);
    return table;
  }

  /** The names that the file has; one at least, so that its rows can be told. */
  #presentNames(specs: ColumnSpecs, names: readonly string[]): readonly string[] {
    const absent = names.filter((name) => !this.footer.columns.has(name));
    const missing = absent.find((name) => specs[name]?.later !== true);
    if (missing === undefined) {
      const present = names.filter((name) => !absent.includes(name));
      return present.length > 0 ? present : [...this.footer.columns.keys()].slice(0, 1);
    }
    throw new CodedError(
      'INPUT',
      `has no column ${missing}.`,
      this.path,
      'It was written by another version or program.',
    );
  }

  async #readStream(
    index: number,
    names: readonly string[],
    rows: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const wasm = await loadEngine();
    try {
      // Not the engine's ranged (async) reader: on damaged pages it panics outside of
      // the promise, which then never settles.
      const content = excerpt(this.#file, this.footer, index, names);
      const table = wasm.readParquet(content, {
        batchSize: Math.max(rows, 1),
      });
      // Consumes the table; the bytes are a copy outside the WebAssembly memory.
      return table.intoIPCStream() as Uint8Array<ArrayBuffer>;
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw this.#damaged(index, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #damaged(index: number, what: string, cause?: unknown): CodedError {
    return new CodedError(
      'INPUT',
      `is damaged in row group ${index}: ${what}.`,
      this.path,
      'Leave the file out, or copy it again from the host that recorded it.',
      cause,
    );
  }

  close(): void {
    this.#file.close();
  }
}

/** Reads a whole Parquet file as a table; with `names` only those columns. @throws CodedError INPUT */
export async function readParquet<
  S extends ColumnSpecs,
  K extends keyof S & string = keyof S & string,
>(
  path: string,
  specs: S,
  names: readonly K[] = Object.keys(specs) as K[],
): Promise<Pick<TableOf<S>, K | 'rows'>> {
  const reader = new ParquetReader(path);
  try {
    const parts: Pick<TableOf<S>, K | 'rows'>[] = [];
    for (let i = 0; i < reader.footer.rowGroups.length; i++) {
      parts.push(await reader.readGroup(i, specs, names));
    }
    return parts.length === 1 ? parts[0]! : concatParts(specs, names, parts);
  } finally {
    reader.close();
  }
}
