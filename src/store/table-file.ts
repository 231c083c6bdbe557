import type { ColumnSpecs, TableOf } from '../model/columns.js';
import { concatTables } from '../model/tables.js';
import { readFrame } from './arrow-file.js';
import { END_OF_STREAM, indexFrames } from './arrow-frames.js';
import { schemaFrame } from './arrow-schema.js';
import { DurableFile } from './durable-file.js';
import { FrameEncoder } from './frame-encoder.js';
import { RandomFile } from './random-file.js';

/**
 * Writes tables one after another as an Arrow IPC stream file, so that no more than one of them
 * need be in memory. The file appears whole with {@link TableWriter.commit} or not at all.
 */
export class TableWriter<S extends ColumnSpecs> {
  readonly #file: DurableFile;
  readonly #encoder: FrameEncoder<S>;

  /** @throws CodedError OUTPUT */
  constructor(path: string, specs: S, metadata: Readonly<Record<string, string>> = {}) {
    this.#file = new DurableFile(path, 'rename');
    this.#encoder = new FrameEncoder(specs);
    this.#file.write(schemaFrame(specs, metadata));
  }

  /** Writes the rows of `table`, which may change afterwards. @throws CodedError OUTPUT */
  append(table: TableOf<S>): void {
    for (const chunk of this.#encoder.encode(table)) this.#file.write(chunk);
  }

  /** @throws CodedError OUTPUT */
  commit(): void {
    this.#file.write(END_OF_STREAM);
    this.#file.commit();
  }

  abandon(): void {
    this.#file.abandon();
  }
}

/**
 * Writes a table as an Arrow IPC stream file: the form of tables between stages.
 * The file appears whole or not at all. @throws CodedError OUTPUT
 */
export async function writeTable<S extends ColumnSpecs>(
  path: string,
  specs: S,
  table: TableOf<S>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const writer = new TableWriter(path, specs, metadata);
  try {
    writer.append(table);
    writer.commit();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Joins tables that hold only the columns `names`. */
export function concatParts<S extends ColumnSpecs, K extends keyof S & string>(
  specs: S,
  names: readonly K[],
  parts: readonly Pick<TableOf<S>, K | 'rows'>[],
): Pick<TableOf<S>, K | 'rows'> {
  const picked: ColumnSpecs = Object.fromEntries(names.map((name) => [name, specs[name]!]));
  return concatTables(picked, [...parts] as TableOf<ColumnSpecs>[]) as Pick<TableOf<S>, K | 'rows'>;
}

/**
 * Reads a table written by {@link writeTable}; with `names` only those columns are
 * read from the disk and set. @throws CodedError INPUT
 */
export async function readTable<
  S extends ColumnSpecs,
  K extends keyof S & string = keyof S & string,
>(
  path: string,
  specs: S,
  names: readonly K[] = Object.keys(specs) as K[],
): Promise<Pick<TableOf<S>, K | 'rows'>> {
  const file = new RandomFile(path);
  try {
    const { schema, frames } = indexFrames(file);
    const parts = frames.map(
      (frame, i) => readFrame(file, schema, frame, `batch ${i}`, specs, names) as TableOf<S>,
    );
    return parts.length === 1 ? parts[0]! : concatParts(specs, names, parts);
  } finally {
    file.close();
  }
}

/** The metadata given to {@link writeTable}. @throws CodedError INPUT */
export async function readTableMetadata(path: string): Promise<Record<string, string>> {
  const file = new RandomFile(path);
  try {
    return Object.fromEntries(indexFrames(file).schema.metadata);
  } finally {
    file.close();
  }
}
