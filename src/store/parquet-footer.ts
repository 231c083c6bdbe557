import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { CodedError } from '../model/errors.js';
import { unpackMetadata } from './file-metadata.js';
import type { ByteSource } from './random-file.js';

const MAGIC = 0x31524150; // "PAR1", little-endian
/** Length of the footer and the magic, behind the footer. */
const TAIL = 8;
/** A footer of a thousand row groups has about 2 MB. */
const MAX_FOOTER = 256 * 1024 * 1024;

interface RowGroup {
  readonly rows: number;
  /** Uncompressed size of all columns. */
  readonly bytes: number;
}

/** Where the bytes of one column of one row group lie. */
export interface ColumnChunkPlace {
  readonly column: string;
  readonly start: number;
  readonly size: number;
  readonly dataPage: number;
  readonly dictionaryPage: number | undefined;
}

export interface ParquetFooter {
  /** The footer as it is in the file (Thrift, compact protocol). */
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly rowGroups: readonly RowGroup[];
  /** What the writer said of the file; empty if that was not aftertrace. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of the top-level columns. */
  readonly columns: ReadonlySet<string>;
  /** The columns' places in a row group, in file order. */
  readonly chunks: (rowGroup: number) => readonly ColumnChunkPlace[];
  /** Smallest and largest value of an integer column, by row group; undefined if not recorded. */
  readonly range: (rowGroup: number, column: string) => readonly [bigint, bigint] | undefined;
}

function truncated(file: ByteSource): CodedError {
  return new CodedError(
    'INPUT',
    'is truncated: the Parquet footer is missing.',
    file.path,
    'Copy it again from the host that recorded it.',
  );
}

function footerBytes(file: ByteSource): ArrayBuffer {
  if (file.size === 0) throw new CodedError('INPUT', 'is empty.', file.path);
  const head = file.read(0, Math.min(4, file.size));
  if (head.length < 4 || new DataView(head.buffer).getUint32(0, true) !== MAGIC) {
    throw new CodedError(
      'INPUT',
      'is not a Parquet file.',
      file.path,
      'Name segments of aftertrace.',
    );
  }
  if (file.size < 12) throw truncated(file);
  const tail = new DataView(file.read(file.size - 8, 8).buffer);
  const length = tail.getUint32(0, true);
  if (tail.getUint32(4, true) !== MAGIC) throw truncated(file);
  if (length > Math.min(file.size - 12, MAX_FOOTER)) {
    throw new CodedError('INPUT', `is damaged: its footer claims ${length} bytes.`, file.path);
  }
  return file.read(file.size - 8 - length, length + 8).buffer;
}

/** Every chunk must lie inside the file, so that no reader allocates what is not there. */
function placesOf(group: FileMetaData['row_groups'][number], index: number, file: ByteSource) {
  return group.columns.map(({ meta_data: chunk }): ColumnChunkPlace => {
    const dataPage = Number(chunk?.data_page_offset ?? -1);
    const dictionary = chunk?.dictionary_page_offset;
    const dictionaryPage = dictionary === undefined ? undefined : Number(dictionary);
    const start = Math.min(dataPage, dictionaryPage ?? dataPage);
    const size = Number(chunk?.total_compressed_size ?? -1);
    if (chunk === undefined || !(start >= 4 && size >= 0 && start + size <= file.size)) {
      const message = `is damaged in row group ${index}: its bytes lie outside.`;
      throw new CodedError('INPUT', message, file.path);
    }
    return { column: chunk.path_in_schema.join('.'), start, size, dataPage, dictionaryPage };
  });
}

/** hyparquet trusts the footer's structure; whatever it trips over is damage. */
function guarded<T>(file: ByteSource, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError('INPUT', 'is damaged: its footer cannot be read.', file.path, '', cause);
  }
}

/** Reads the footer of a Parquet file: sizes, metadata, statistics. @throws CodedError INPUT */
export function readFooter(file: ByteSource): ParquetFooter {
  const bytes = footerBytes(file);
  return guarded(file, () => {
    const meta = parquetMetadata(bytes, { geoparquet: false });
    const places = meta.row_groups.map((group, i) => placesOf(group, i, file));
    if (places.some((columns) => columns.length !== meta.schema.length - 1)) {
      throw new CodedError('INPUT', 'has nested columns: not a file of aftertrace.', file.path);
    }
    const metadata = new Map<string, string>();
    for (const { key, value } of meta.key_value_metadata ?? []) metadata.set(key, value ?? '');
    return {
      bytes: new Uint8Array(bytes, 0, bytes.byteLength - TAIL),
      rows: Number(meta.num_rows),
      rowGroups: meta.row_groups.map((group) => ({
        rows: Number(group.num_rows),
        bytes: Number(group.total_byte_size),
      })),
      metadata: unpackMetadata(metadata),
      columns: new Set(meta.schema.slice(1).map((element) => element.name)),
      chunks: (rowGroup) => places[rowGroup]!,
      range: (rowGroup, column) => {
        const index = places[rowGroup]!.findIndex((place) => place.column === column);
        const statistics = meta.row_groups[rowGroup]?.columns[index]?.meta_data?.statistics;
        const low = statistics?.min_value;
        const high = statistics?.max_value;
        return typeof low === 'bigint' && typeof high === 'bigint' ? [low, high] : undefined;
      },
    };
  });
}
