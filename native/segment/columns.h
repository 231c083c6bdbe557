// SPDX-License-Identifier: Apache-2.0
// The columns of a segment, as src/model/batch.ts defines them; the encoder itself knows none by name
// but those it sorts by.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace aftertrace {

enum class ColumnType { uint8, uint16, uint32, uint64, int64, text, binary };
enum class Encoding { dictionary, delta, plain };

struct Column {
  std::string name;
  ColumnType type;
  Encoding encoding;
  // Only of text and binary: what has no bytes is stored as NULL.
  bool nullable;
  // Its place among the columns of the `.part`; -1 where that is older than the column.
  int source;
};

// Bytes of a number; 0 for values of any length.
constexpr std::size_t widthOf(ColumnType type) {
  switch (type) {
    case ColumnType::uint8:
      return 1;
    case ColumnType::uint16:
      return 2;
    case ColumnType::uint32:
      return 4;
    case ColumnType::uint64:
    case ColumnType::int64:
      return 8;
    default:
      return 0;
  }
}

// The segment holds what it must not: its place is named, the file is not by this program's fault.
class DamagedSegment : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The encoding was given up because the process ends.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("the recorder ends") {}
};

}  // namespace aftertrace
