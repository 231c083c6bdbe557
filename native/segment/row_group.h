// SPDX-License-Identifier: Apache-2.0
// Frames of an open segment in memory, column by column: what becomes one row group.
#pragma once

#include <string_view>

#include "columns.h"
#include "part_frames.h"

namespace aftertrace {

// The rows of a group in the order they are stored in: numbers of rows as captured.
using RowOrder = std::vector<uint32_t>;

// What came of a frame. After a power cut a file can end in zeros: then its times are not set.
enum class Taken { added, unset, damaged };

class RowGroup {
 public:
  // The types of the columns of the file, and which of them holds the times.
  RowGroup(std::vector<ColumnType> types, std::size_t times) : types_(std::move(types)), times_(times) {}

  // Reads the frame's body and adds its rows, all or none. @throws IoError
  Taken add(SegmentInput &file, const Frame &frame);
  void clear();

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return used_; }

  // A column of numbers of type T, as captured. `source` -1 gives zeros.
  template <typename T>
  std::vector<T> numbers(int source) const {
    std::vector<T> values(rows_);
    if (source < 0) return values;
    std::size_t row = 0;
    for (const Part &part : parts_) {
      std::memcpy(values.data() + row, memory_.data() + part.columns[source].values,
                  part.rows * sizeof(T));
      row += part.rows;
    }
    return values;
  }

  // A column of bytes, as captured; the views hold until the group changes. `source` -1 gives none.
  std::vector<std::string_view> bytes(int source) const;

 private:
  // Where a frame's columns lie: offsets into memory_, which moves while it grows.
  struct Place {
    std::size_t values;
    std::size_t offsets;
  };
  struct Part {
    std::size_t rows;
    std::vector<Place> columns;
  };


  const std::vector<ColumnType> types_;
  const std::size_t times_;
  Bytes memory_;
  std::size_t used_ = 0;
  std::size_t rows_ = 0;
  std::vector<Part> parts_;
};

}  // namespace aftertrace
