import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { CodedError } from '../model/errors.js';
import { unpackMetadata } from './file-metadata.js';
import type { RandomFile } from './random-file.js';

const MAGIC = 0x31524150; // "PAR1", little-endian
/** A footer of a thousand row groups has about 2 MB. */
const MAX_FOOTER = 256 * 1024 * 1024;

export interface RowGroup {
  readonly rows: number;
  /** Uncompressed size of all columns. */
  readonly bytes: number;
}

export interface ParquetFooter {
  readonly rows: number;
  readonly rowGroups: readonly RowGroup[];
  /** What the writer said of the file; empty if that was not aftertrace. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of the top-level columns. */
  readonly columns: ReadonlySet<string>;
  /** Smallest and largest value of an integer column, by row group; undefined if not recorded. */
  readonly range: (rowGroup: number, column: string) => readonly [bigint, bigint] | undefined;
}

function truncated(file: RandomFile): CodedError {
  return new CodedError(
    'INPUT',
    'is truncated: the Parquet footer is missing.',
    file.path,
    'Copy it again from the host that recorded it.',
  );
}

function footerBytes(file: RandomFile): ArrayBuffer {
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
function checkChunks(meta: FileMetaData, file: RandomFile): void {
  for (const [i, group] of meta.row_groups.entries()) {
    for (const { meta_data: chunk } of group.columns) {
      const start = Number(chunk?.dictionary_page_offset ?? chunk?.data_page_offset ?? -1);
      const size = Number(chunk?.total_compressed_size ?? -1);
      if (!(start >= 4 && size >= 0 && start + size <= file.size)) {
        throw new CodedError(
          'INPUT',
          `is damaged in row group ${i}: its bytes lie outside.`,
          file.path,
        );
      }
    }
  }
}

function parse(file: RandomFile): FileMetaData {
  const bytes = footerBytes(file);
  let meta: FileMetaData;
  try {
    meta = parquetMetadata(bytes, { geoparquet: false });
  } catch (cause) {
    throw new CodedError('INPUT', 'is damaged: its footer cannot be read.', file.path, '', cause);
  }
  if (!Array.isArray(meta.row_groups)) {
    throw new CodedError('INPUT', 'is damaged: its footer lists no row groups.', file.path);
  }
  checkChunks(meta, file);
  return meta;
}

/** Reads the footer of a Parquet file: sizes, metadata, statistics. @throws CodedError INPUT */
export function readFooter(file: RandomFile): ParquetFooter {
  const meta = parse(file);
  const metadata = new Map<string, string>();
  for (const { key, value } of meta.key_value_metadata ?? []) metadata.set(key, value ?? '');
  return {
    rows: Number(meta.num_rows),
    rowGroups: meta.row_groups.map((group) => ({
      rows: Number(group.num_rows),
      bytes: Number(group.total_byte_size),
    })),
    metadata: unpackMetadata(metadata),
    columns: new Set(meta.schema.slice(1).map((element) => element.name)),
    range: (rowGroup, column) => {
      const chunk = meta.row_groups[rowGroup]?.columns.find(
        (candidate) => candidate.meta_data?.path_in_schema.join('.') === column,
      );
      const low = chunk?.meta_data?.statistics?.min_value;
      const high = chunk?.meta_data?.statistics?.max_value;
      return typeof low === 'bigint' && typeof high === 'bigint' ? [low, high] : undefined;
    },
  };
}
