/**
 * Cuts one row group and some columns out of a Parquet file, as a small Parquet file of
 * its own: the chunks' bytes as they are, and a footer with their new places. The engine
 * copies its input into WebAssembly; this way that is only what is asked for.
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import type { ColumnChunkPlace, ParquetFooter } from './parquet-footer.js';
import type { ByteSource } from './random-file.js';
import {
  integerValue,
  readFields,
  readStructList,
  rewriteStruct,
  structListValue,
} from './thrift-fields.js';

const MAGIC = new TextEncoder().encode('PAR1');

/** Field numbers of parquet.thrift. */
const FileMetaData = { version: 1, schema: 2, numRows: 3, rowGroups: 4, createdBy: 6 } as const;
const SchemaElement = { childCount: 5 } as const;
const RowGroup = { columns: 1, totalByteSize: 2, numRows: 3 } as const;
const ColumnChunk = { fileOffset: 2, metaData: 3 } as const;
const ColumnMetaData = { dataPage: 9, indexPage: 10, dictionaryPage: 11, bloomFilter: 14 } as const;

/** A column that is taken: which one it was, and how far its chunk moves. */
interface Taken {
  readonly index: number;
  readonly place: ColumnChunkPlace;
  readonly move: number;
}
type Replacements = ReadonlyMap<number, Uint8Array>;

/** The struct at `from` with only the fields that `keep` wants, and some values replaced. */
function rewrite(
  bytes: Uint8Array,
  from: number,
  keep: (id: number) => boolean,
  replaced: Replacements,
): Uint8Array {
  const fields = readFields(bytes, from).filter(({ id }) => keep(id));
  return rewriteStruct(bytes, fields, replaced);
}

/** Where the value of a required field begins; the footer was decoded before, so it is there. */
function fieldStart(bytes: Uint8Array, from: number, id: number): number {
  return readFields(bytes, from).find((field) => field.id === id)!.from;
}

function movedChunk(bytes: Uint8Array, from: number, { place, move }: Taken): Uint8Array {
  const offsets = new Map<number, Uint8Array>([
    [ColumnMetaData.dataPage, integerValue(place.dataPage + move)],
  ]);
  if (place.dictionaryPage !== undefined) {
    offsets.set(ColumnMetaData.dictionaryPage, integerValue(place.dictionaryPage + move));
  }
  // Indexes and filters stay behind: nothing reads them here.
  const metaData = rewrite(
    bytes,
    fieldStart(bytes, from, ColumnChunk.metaData),
    (id) => id !== ColumnMetaData.indexPage && id < ColumnMetaData.bloomFilter,
    offsets,
  );
  return rewrite(
    bytes,
    from,
    (id) => id === ColumnChunk.fileOffset || id === ColumnChunk.metaData,
    new Map([
      [ColumnChunk.fileOffset as number, integerValue(0)],
      [ColumnChunk.metaData, metaData],
    ]),
  );
}

/** The root and the elements of the taken columns. */
function excerptSchema(bytes: Uint8Array, from: number, taken: readonly Taken[]): Uint8Array {
  const [root, ...columns] = readStructList(bytes, from);
  const count = new Map([[SchemaElement.childCount as number, integerValue(taken.length)]]);
  const elements = taken.map(({ index }) => rewrite(bytes, columns[index]!, () => true, new Map()));
  return structListValue([rewrite(bytes, root!, () => true, count), ...elements]);
}

function excerptGroup(bytes: Uint8Array, from: number, taken: readonly Taken[]): Uint8Array {
  const chunks = readStructList(bytes, fieldStart(bytes, from, RowGroup.columns));
  const moved = taken.map((column) => movedChunk(bytes, chunks[column.index]!, column));
  return rewrite(
    bytes,
    from,
    (id) => id <= RowGroup.numRows,
    new Map([[RowGroup.columns as number, structListValue(moved)]]),
  );
}

const KEPT: ReadonlySet<number> = new Set(Object.values(FileMetaData));

/** Without key-value metadata: the types follow from the Parquet schema alone. */
function excerptFooter(footer: ParquetFooter, group: number, taken: readonly Taken[]): Uint8Array {
  const { bytes } = footer;
  const groups = readStructList(bytes, fieldStart(bytes, 0, FileMetaData.rowGroups));
  const schema = excerptSchema(bytes, fieldStart(bytes, 0, FileMetaData.schema), taken);
  return rewrite(
    bytes,
    0,
    (id) => KEPT.has(id),
    new Map<number, Uint8Array>([
      [FileMetaData.schema, schema],
      [FileMetaData.numRows, integerValue(footer.rowGroups[group]!.rows)],
      [FileMetaData.rowGroups, structListValue([excerptGroup(bytes, groups[group]!, taken)])],
    ]),
  );
}

/**
 * Row group `group` with the columns `names`, as the bytes of a Parquet file.
 * Only for files without nested columns. @throws CodedError INPUT
 */
export function excerpt(
  file: ByteSource,
  footer: ParquetFooter,
  group: number,
  names: readonly string[],
): Uint8Array {
  const wanted = new Set(names);
  const parts: Uint8Array[] = [MAGIC];
  const taken: Taken[] = [];
  let size = MAGIC.length;
  for (const [index, place] of footer.chunks(group).entries()) {
    if (!wanted.has(place.column)) continue;
    parts.push(file.read(place.start, place.size));
    taken.push({ index, place, move: size - place.start });
    size += place.size;
  }
  const tail = excerptFooter(footer, group, taken);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, tail.length, true);
  return Buffer.concat([...parts, tail, length, MAGIC]);
}
