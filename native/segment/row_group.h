// SPDX-License-Identifier: Apache-2.0
// Frames of an open segment in memory, column by column: what becomes one row group.
#pragma once

#include <memory>
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

  // Bytes of the frames of one group, unless a single one has more.
  static constexpr std::size_t kBytes = 4 << 20;

  // Reads the frame's body and adds its rows, all or none. @throws IoError
  Taken add(SegmentInput &file, const Frame &frame);
  void clear();

  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return used_; }

  // A column of numbers of type T, as captured. `source` -1 gives zeros.
  template <typename T>
  void numbers(int source, std::vector<T> &values) const {
    if (source < 0) return values.assign(rows_, 0);
    values.resize(rows_);
    std::size_t row = 0;
    for (const Part &part : parts_) {
      std::memcpy(values.data() + row, memory_.get() + part.columns[source].values,
                  part.rows * sizeof(T));
      row += part.rows;
    }
  }

  // Whether a column holds nothing but zeros, or no bytes at all: most do, and are quickly done then.
  bool isEmpty(int source) const;

  // A column of bytes, as captured; the views hold until the group changes. `source` -1 gives none.
  void texts(int source, std::vector<std::string_view> &values) const;

 private:
  void reserve(std::size_t size);

  // Where a frame's columns lie: offsets into memory_.
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
  // Not a vector: that would set every byte before it is read into.
  std::unique_ptr<uint8_t[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::size_t rows_ = 0;
  std::vector<Part> parts_;
};

}  // namespace aftertrace
