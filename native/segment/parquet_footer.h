// SPDX-License-Identifier: Apache-2.0
// The footer of a Parquet file: schema, where the chunks lie, what they hold.
#pragma once

#include <string>
#include <utility>

#include "column_chunk.h"

namespace aftertrace {

struct RowGroupInfo {
  std::size_t rows;
  std::vector<ChunkInfo> chunks;  // one for each column
};

struct FileInfo {
  std::vector<Column> columns;
  std::vector<RowGroupInfo> groups;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string createdBy;
};

// What a file ends with: footer, its length, the magic.
Bytes footerOf(const FileInfo &file);

}  // namespace aftertrace
