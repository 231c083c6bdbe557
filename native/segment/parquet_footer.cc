// SPDX-License-Identifier: Apache-2.0
// Ids of fields are those of
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
#include "parquet_footer.h"

#include "thrift_writer.h"

namespace aftertrace {
namespace {

enum PhysicalType : int32_t { kInt32 = 1, kInt64 = 2, kByteArray = 6 };

int32_t physicalType(ColumnType type) {
  const std::size_t width = widthOf(type);
  if (width == 0) return kByteArray;
  return width == 8 ? kInt64 : kInt32;
}

// The older and the newer form of the same: text, or an unsigned number of some width.
void writeMeaning(ThriftWriter &thrift, ColumnType type) {
  constexpr int kConverted = 6;
  constexpr int kLogical = 10;
  constexpr int kString = 1;
  constexpr int kInteger = 10;
  if (type == ColumnType::text) {
    thrift.i32(kConverted, 0);
    thrift.beginStruct(kLogical);
    thrift.beginStruct(kString);
  } else if (type == ColumnType::binary || type == ColumnType::int64) {
    return;
  } else {
    const std::size_t width = widthOf(type);
    thrift.i32(kConverted, width == 1 ? 11 : width == 2 ? 12 : width == 4 ? 13 : 14);
    thrift.beginStruct(kLogical);
    thrift.beginStruct(kInteger);
    thrift.i8(1, static_cast<int8_t>(8 * width));
    thrift.boolean(2, false);
  }
  thrift.endStruct();
  thrift.endStruct();
}

void writeSchema(ThriftWriter &thrift, const std::vector<Column> &columns) {
  thrift.beginStructs(2, columns.size() + 1);
  thrift.beginElement();
  thrift.text(4, "schema");
  thrift.i32(5, static_cast<int32_t>(columns.size()));
  thrift.endStruct();
  for (const Column &column : columns) {
    thrift.beginElement();
    thrift.i32(1, physicalType(column.type));
    thrift.i32(3, column.nullable ? 1 : 0);
    thrift.text(4, column.name);
    writeMeaning(thrift, column.type);
    thrift.endStruct();
  }
}

std::string_view textOf(const Bytes &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

void writeStatistics(ThriftWriter &thrift, const Column &column, const ChunkInfo &chunk) {
  if (!column.nullable && !chunk.least) return;
  thrift.beginStruct(12);
  if (column.nullable) thrift.i64(3, static_cast<int64_t>(chunk.nulls));
  if (chunk.greatest) thrift.text(5, textOf(*chunk.greatest));
  if (chunk.least) thrift.text(6, textOf(*chunk.least));
  thrift.endStruct();
}

void writeChunk(ThriftWriter &thrift, const Column &column, const ChunkInfo &chunk, std::size_t rows) {
  thrift.beginElement();
  thrift.i64(2, 0);
  thrift.beginStruct(3);
  thrift.i32(1, physicalType(column.type));
  thrift.beginNumbers(2, chunk.encodings.size());
  for (const PageEncoding encoding : chunk.encodings) thrift.number(static_cast<int32_t>(encoding));
  thrift.beginTexts(3, 1);
  thrift.element(column.name);
  thrift.i32(4, static_cast<int32_t>(chunk.codec));
  thrift.i64(5, static_cast<int64_t>(rows));
  thrift.i64(6, static_cast<int64_t>(chunk.uncompressed));
  thrift.i64(7, static_cast<int64_t>(chunk.compressed));
  thrift.i64(9, static_cast<int64_t>(chunk.dataPage));
  if (chunk.dictionaryPage) thrift.i64(11, static_cast<int64_t>(*chunk.dictionaryPage));
  writeStatistics(thrift, column, chunk);
  thrift.endStruct();
  thrift.endStruct();
}

void writeGroup(ThriftWriter &thrift, const std::vector<Column> &columns, const RowGroupInfo &group) {
  uint64_t bytes = 0;
  thrift.beginElement();
  thrift.beginStructs(1, columns.size());
  for (std::size_t i = 0; i < columns.size(); i++) {
    writeChunk(thrift, columns[i], group.chunks[i], group.rows);
    bytes += group.chunks[i].uncompressed;
  }
  thrift.i64(2, static_cast<int64_t>(bytes));
  thrift.i64(3, static_cast<int64_t>(group.rows));
  thrift.endStruct();
}

}  // namespace

Bytes footerOf(const FileInfo &file) {
  Bytes out;
  ThriftWriter thrift(out);
  uint64_t rows = 0;
  for (const RowGroupInfo &group : file.groups) rows += group.rows;
  thrift.i32(1, 1);
  writeSchema(thrift, file.columns);
  thrift.i64(3, static_cast<int64_t>(rows));
  thrift.beginStructs(4, file.groups.size());
  for (const RowGroupInfo &group : file.groups) writeGroup(thrift, file.columns, group);
  thrift.beginStructs(5, file.metadata.size());
  for (const auto &[key, value] : file.metadata) {
    thrift.beginElement();
    thrift.text(1, key);
    thrift.text(2, value);
    thrift.endStruct();
  }
  thrift.text(6, file.createdBy);
  // Without it the statistics do not count: values are ordered as their type says.
  thrift.beginStructs(7, file.columns.size());
  for (std::size_t i = 0; i < file.columns.size(); i++) {
    thrift.beginElement();
    thrift.beginStruct(1);
    thrift.endStruct();
    thrift.endStruct();
  }
  thrift.endStruct();
  put(out, static_cast<uint32_t>(out.size()));
  put(out, std::string_view("PAR1"));
  return out;
}

}  // namespace aftertrace
