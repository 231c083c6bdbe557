/**
 * Cuts one row group and some columns out of a Parquet file, as a small Parquet file of
 * its own: the chunks' bytes as they are, and a footer with their new places. The engine
 * copies its input into WebAssembly; this way that is only what is asked for.
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import type { ColumnChunkPlace, ParquetFooter } from './parquet-footer.js';
import type { RandomFile } from './random-file.js';
import {
  integerValue,
  readFields,
  readStructList,
  rewriteStruct,
  structListValue,
  type ThriftField,
} from './thrift-fields.js';

const MAGIC = new TextEncoder().encode('PAR1');

/** Field numbers of parquet.thrift. */
const FileMetaData = { numRows: 3, rowGroups: 4 } as const;
const RowGroup = { columns: 1, totalByteSize: 2, numRows: 3 } as const;
const ColumnChunk = { fileOffset: 2, metaData: 3 } as const;
const ColumnMetaData = { dataPage: 9, indexPage: 10, dictionaryPage: 11, bloomFilter: 14 } as const;

/** How far a chunk moves, by column. */
type Moves = ReadonlyMap<string, number>;

function movedMetaData(footer: Uint8Array, from: number, place: ColumnChunkPlace, by: number) {
  // Indexes and filters stay behind: nothing reads them here.
  const fields = readFields(footer, from).filter(
    ({ id }) => id !== ColumnMetaData.indexPage && id < ColumnMetaData.bloomFilter,
  );
  const replaced = new Map([
    [ColumnMetaData.dataPage as number, integerValue(place.dataPage + by)],
  ]);
  if (place.dictionaryPage !== undefined) {
    replaced.set(ColumnMetaData.dictionaryPage, integerValue(place.dictionaryPage + by));
  }
  return rewriteStruct(footer, fields, replaced);
}

function movedChunk(
  footer: Uint8Array,
  from: number,
  place: ColumnChunkPlace,
  moves: Moves,
): Uint8Array {
  const fields = readFields(footer, from).filter(
    ({ id }) => id === ColumnChunk.fileOffset || id === ColumnChunk.metaData,
  );
  const by = moves.get(place.column);
  const metaData = fields.find(({ id }) => id === ColumnChunk.metaData);
  const replaced = new Map<number, Uint8Array>([[ColumnChunk.fileOffset, integerValue(0)]]);
  // Chunks that were not taken keep their old place: the engine does not look there.
  if (by !== undefined && metaData !== undefined) {
    replaced.set(ColumnChunk.metaData, movedMetaData(footer, metaData.from, place, by));
  }
  return rewriteStruct(footer, fields, replaced);
}

function find(fields: readonly ThriftField[], id: number): number {
  // The footer was decoded before: its required fields are there.
  return fields.find((field) => field.id === id)!.from;
}

function excerptFooter(footer: ParquetFooter, group: number, moves: Moves): Uint8Array {
  const { bytes } = footer;
  const fields = readFields(bytes, 0);
  const start = readStructList(bytes, find(fields, FileMetaData.rowGroups))[group]!;
  const groupFields = readFields(bytes, start);
  const chunks = readStructList(bytes, find(groupFields, RowGroup.columns)).map((from, i) =>
    movedChunk(bytes, from, footer.chunks(group)[i]!, moves),
  );
  const kept = groupFields.filter(({ id }) => id <= RowGroup.numRows);
  const rowGroup = rewriteStruct(
    bytes,
    kept,
    new Map([[RowGroup.columns, structListValue(chunks)]]),
  );
  return rewriteStruct(
    bytes,
    fields,
    new Map<number, Uint8Array>([
      [FileMetaData.numRows, integerValue(footer.rowGroups[group]!.rows)],
      [FileMetaData.rowGroups, structListValue([rowGroup])],
    ]),
  );
}

/** Row group `group` with the columns `names`, as the bytes of a Parquet file. @throws CodedError INPUT */
export function excerpt(
  file: RandomFile,
  footer: ParquetFooter,
  group: number,
  names: readonly string[],
): Uint8Array {
  const wanted = new Set(names);
  const parts: Uint8Array[] = [MAGIC];
  const moves = new Map<string, number>();
  let size = MAGIC.length;
  for (const place of footer.chunks(group)) {
    if (!wanted.has(place.column)) continue;
    parts.push(file.read(place.start, place.size));
    moves.set(place.column, size - place.start);
    size += place.size;
  }
  const tail = excerptFooter(footer, group, moves);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, tail.length, true);
  return Buffer.concat([...parts, tail, length, MAGIC]);
}
