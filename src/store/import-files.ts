import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../model/errors.js';
import { EXCHANGE_COLUMNS, type ExchangeTable } from '../model/exchange.js';
import {
  IMPORT_CONTENT,
  type ImportHeader,
  SOURCE_COLUMNS,
  type SourceTable,
} from '../model/imported.js';
import { createDirectory } from './durable-file.js';
import { ioError } from './io-error.js';
import { ParquetReader, readParquet, writeParquet } from './parquet-file.js';
import { checkContent, contentMetadata } from './segment-header.js';

/** What is known of a file of imported exchanges without reading them. */
export interface ImportInfo extends ImportHeader {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** First start and last end, UTC epoch ns, inclusive. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** Exchanges to write, in order of time. */
export interface ImportTables {
  readonly rows: number;
  readonly bootId: string;
  readonly baseNs: bigint;
  readonly services: readonly string[];
  /** Rows [from, to). */
  build(from: number, to: number): { exchanges: ExchangeTable; sources: SourceTable };
}

/** Rows of one file: what one task of a reconstruction takes at once. */
const ROWS_PER_PART = 250_000;
const HOST = 'imported';
const NAME = /^(exchanges|sources)-\d{6}\.parquet$/;

function partName(content: string, part: number): string {
  return `${content}-${String(part).padStart(6, '0')}.parquet`;
}

/** The file of source ids that lies beside a file of exchanges. */
export function sourcesPath(exchangesPath: string): string {
  const name = basename(exchangesPath).replace(IMPORT_CONTENT.exchanges, IMPORT_CONTENT.sources);
  return join(dirname(exchangesPath), name);
}

/** True for the name of a file of source ids: it is read with the exchanges beside it, not alone. */
export function isSourcesName(name: string): boolean {
  return NAME.test(name) && name.startsWith(IMPORT_CONTENT.sources);
}

/**
 * Creates the directory (0700) if needed. With `force` an earlier import in it is removed.
 * @throws CodedError OUTPUT if it is not writable, or holds one already
 */
export function prepareImport(outDir: string, force: boolean): void {
  let earlier: string[];
  try {
    createDirectory(outDir);
    earlier = readdirSync(outDir).filter((name) => NAME.test(name));
    if (force) for (const name of earlier) rmSync(join(outDir, name));
  } catch (cause) {
    throw ioError('OUTPUT', outDir, 'prepare the output directory', cause);
  }
  if (earlier.length > 0 && !force) {
    const remedy = 'Choose another directory, or replace it with --force.';
    throw new CodedError('OUTPUT', 'already holds an import.', outDir, remedy);
  }
}

function lastMoment({ request_start, response_end }: ExchangeTable, baseNs: bigint): bigint {
  let last = 0;
  for (const times of [request_start, response_end]) {
    for (const time of times) if (time > last) last = time;
  }
  return baseNs + BigInt(Math.round(last));
}

/**
 * Writes exchanges-*.parquet and sources-*.parquet. After a failure nothing of them is left.
 * @throws CodedError OUTPUT
 */
export async function writeImport(
  outDir: string,
  tables: ImportTables,
  header: Pick<ImportHeader, 'tool' | 'format' | 'parentsKept'>,
): Promise<void> {
  const parts = Math.ceil(tables.rows / ROWS_PER_PART);
  const written: string[] = [];
  try {
    for (let part = 1; part <= parts; part++) {
      const from = (part - 1) * ROWS_PER_PART;
      const { exchanges, sources } = tables.build(
        from,
        Math.min(tables.rows, from + ROWS_PER_PART),
      );
      const first = tables.baseNs + BigInt(Math.round(exchanges.request_start[0]!));
      const path = join(outDir, partName(IMPORT_CONTENT.exchanges, part));
      const metadata = {
        ...contentMetadata(IMPORT_CONTENT.exchanges),
        tool: header.tool,
        host: HOST,
        boot_id: tables.bootId,
        source_format: header.format,
        parents: header.parentsKept ? 'kept' : 'forgotten',
        services: JSON.stringify(tables.services),
        part: String(part),
        parts: String(parts),
        base_ns: String(tables.baseNs),
        from_ns: String(first),
        to_ns: String(lastMoment(exchanges, tables.baseNs)),
      };
      written.push(sourcesPath(path), path);
      const sourceMetadata = { ...contentMetadata(IMPORT_CONTENT.sources), tool: header.tool };
      await writeParquet(sourcesPath(path), SOURCE_COLUMNS, sources, sourceMetadata);
      await writeParquet(path, EXCHANGE_COLUMNS, exchanges, metadata);
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    throw error;
  }
}

function servicesOf(text: string | undefined): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isList = Array.isArray(value) && value.every((name) => typeof name === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined;
  }
}

function infoOf(reader: ParquetReader): ImportInfo {
  const { path, bytes, footer } = reader;
  const { metadata, rows } = footer;
  checkContent(metadata, IMPORT_CONTENT.exchanges, path);
  const services = servicesOf(metadata.get('services'));
  const bad = (key: string) =>
    new CodedError('INPUT', `is damaged: ${key} is missing in its metadata.`, path);
  const text = (key: string): string => {
    const value = metadata.get(key);
    if (value === undefined) throw bad(key);
    return value;
  };
  const time = (key: string): bigint => {
    if (!/^\d{1,19}$/.test(text(key))) throw bad(key);
    return BigInt(text(key));
  };
  if (services === undefined) throw bad('services');
  return {
    path,
    rows,
    bytes,
    services,
    tool: text('tool'),
    host: text('host'),
    bootId: text('boot_id'),
    format: text('source_format'),
    parentsKept: text('parents') === 'kept',
    part: Number(time('part')),
    parts: Number(time('parts')),
    baseNs: time('base_ns'),
    fromNs: time('from_ns'),
    toNs: time('to_ns'),
  };
}

/**
 * Describes a file of imported exchanges; undefined if it holds something else.
 * @throws CodedError INPUT if it is damaged, UNSUPPORTED if of a newer version
 */
export function describeImport(path: string): ImportInfo | undefined {
  if (!path.endsWith('.parquet') || !existsSync(path)) return undefined;
  const reader = new ParquetReader(path);
  try {
    const isImport = reader.footer.metadata.get('content') === IMPORT_CONTENT.exchanges;
    return isImport ? infoOf(reader) : undefined;
  } finally {
    reader.close();
  }
}

/** Reads the exchanges of an import; `process` is an index into its services. @throws CodedError INPUT */
export async function readImportedExchanges(path: string): Promise<ExchangeTable> {
  return (await readParquet(path, EXCHANGE_COLUMNS)) as ExchangeTable;
}

/** Reads which spans exchanges were made from. @throws CodedError INPUT */
export async function readSources(path: string): Promise<SourceTable> {
  return (await readParquet(path, SOURCE_COLUMNS)) as SourceTable;
}
