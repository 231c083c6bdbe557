import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnSpecs, TableOf } from '../model/columns.js';
import { CodedError } from '../model/errors.js';
import type { Reconstruction } from '../model/reconstruction.js';
import {
  LINK_COLUMNS,
  type LinkTable,
  SPAN_COLUMNS,
  type SpanTable,
  TRACE_COLUMNS,
  type TraceTable,
} from '../model/span.js';
import { emptyTable } from '../model/tables.js';
import { createDirectory, writeFileDurably } from './durable-file.js';
import { ioError } from './io-error.js';
import { ParquetReader, readParquet, writeParquet } from './parquet-file.js';
import { RandomFile } from './random-file.js';
import { checkContent, contentMetadata } from './segment-header.js';

/** What a reconstruction found: the files of its output directory. */
export interface StoredReconstruction {
  readonly spans: SpanTable;
  readonly traces: TraceTable;
  readonly links: LinkTable;
  readonly reconstruction: Reconstruction;
}

/** Written last and removed first: with it the directory holds a whole reconstruction. */
const SUMMARY = 'reconstruction.json';
const SUMMARY_KEYS = [
  'tool',
  'fromNs',
  'toNs',
  'segments',
  'unreadable',
  'losses',
  'counts',
  'links',
  'services',
  'skews',
] as const satisfies readonly (keyof Reconstruction)[];
const MAX_SUMMARY = 256 * 1024 * 1024;
const RECONSTRUCTION_VERSION = 1;

/**
 * Creates the output directory (0700) if needed. With `force` an earlier reconstruction
 * in it is replaced. @throws CodedError OUTPUT if it is not writable, or holds one already
 */
export async function prepareOutput(outDir: string, force: boolean): Promise<void> {
  try {
    createDirectory(outDir);
    if (!existsSync(join(outDir, SUMMARY))) return;
    if (force) rmSync(join(outDir, SUMMARY));
  } catch (cause) {
    throw ioError('OUTPUT', outDir, 'prepare the output directory', cause);
  }
  if (!force) {
    const remedy = 'Choose another directory, or replace it with --force.';
    throw new CodedError('OUTPUT', 'already holds a reconstruction.', outDir, remedy);
  }
}

/**
 * Writes spans.parquet, traces.parquet, links.parquet and reconstruction.json. The same
 * input gives the same bytes. @throws CodedError OUTPUT
 */
export async function writeReconstruction(
  outDir: string,
  { spans, traces, links, reconstruction }: StoredReconstruction,
): Promise<void> {
  const metadata = (content: string) => ({
    ...contentMetadata(content),
    tool: reconstruction.tool,
  });
  try {
    createDirectory(outDir);
    rmSync(join(outDir, SUMMARY), { force: true });
  } catch (cause) {
    throw ioError('OUTPUT', outDir, 'prepare the output directory', cause);
  }
  await writeParquet(join(outDir, 'spans.parquet'), SPAN_COLUMNS, spans, metadata('spans'));
  await writeParquet(join(outDir, 'traces.parquet'), TRACE_COLUMNS, traces, metadata('traces'));
  await writeParquet(join(outDir, 'links.parquet'), LINK_COLUMNS, links, metadata('links'));
  const json = `${JSON.stringify(reconstruction, null, 2)}\n`;
  writeFileDurably(join(outDir, SUMMARY), new TextEncoder().encode(json));
}

async function readPart<S extends ColumnSpecs>(
  outDir: string,
  content: string,
  specs: S,
): Promise<TableOf<S>> {
  const path = join(outDir, `${content}.parquet`);
  const reader = new ParquetReader(path);
  let names: (keyof S & string)[];
  try {
    checkContent(reader.footer.metadata, content, path);
    // Nullable columns may be younger than the file.
    names = Object.keys(specs).filter(
      (name) => reader.footer.columns.has(name) || specs[name]!.nullable !== true,
    );
  } finally {
    reader.close();
  }
  const table = await readParquet(path, specs, names);
  return { ...emptyTable(specs, table.rows), ...table };
}

function parseSummary(path: string, text: string): Reconstruction {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CodedError('INPUT', 'is damaged: not JSON.', path, 'Reconstruct again.', cause);
  }
  const version =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : 0;
  if (typeof version === 'number' && version > RECONSTRUCTION_VERSION) {
    throw new CodedError(
      'UNSUPPORTED',
      `has version ${version}; this aftertrace reads up to ${RECONSTRUCTION_VERSION}.`,
      path,
      'Use the aftertrace that wrote it, or reconstruct again.',
    );
  }
  const complete = SUMMARY_KEYS.every((key) => Object.hasOwn(Object(parsed), key));
  if (version !== RECONSTRUCTION_VERSION || !complete) {
    throw new CodedError('INPUT', 'is not the summary of a reconstruction.', path);
  }
  return parsed as Reconstruction;
}

/** Reads reconstruction.json alone. @throws CodedError INPUT or UNSUPPORTED */
async function readReconstructionSummary(outDir: string): Promise<Reconstruction> {
  const path = join(outDir, SUMMARY);
  if (existsSync(outDir) && !existsSync(path)) {
    const remedy = 'Run `aftertrace reconstruct DIR... --out OUT` first and name OUT.';
    throw new CodedError('INPUT', 'holds no finished reconstruction.', outDir, remedy);
  }
  const file = new RandomFile(path);
  try {
    if (file.size > MAX_SUMMARY) throw new CodedError('INPUT', 'is too large.', path);
    return parseSummary(path, new TextDecoder().decode(file.read(0, file.size)));
  } finally {
    file.close();
  }
}

/** Reads what {@link writeReconstruction} wrote. @throws CodedError INPUT or UNSUPPORTED */
export async function readReconstruction(outDir: string): Promise<StoredReconstruction> {
  return {
    reconstruction: await readReconstructionSummary(outDir),
    spans: await readPart(outDir, 'spans', SPAN_COLUMNS),
    traces: await readPart(outDir, 'traces', TRACE_COLUMNS),
    links: await readPart(outDir, 'links', LINK_COLUMNS),
  };
}
