// SPDX-License-Identifier: Apache-2.0
#include "row_group.h"

namespace aftertrace {
namespace {

bool timesAreSet(const uint8_t *times, std::size_t rows) {
  for (std::size_t row = 0; row < rows; row++) {
    if (load<int64_t>(times + 8 * row) <= 0) return false;
  }
  return rows > 0;
}

}  // namespace

Taken RowGroup::add(SegmentInput &file, const Frame &frame) {
  const std::size_t at = used_;
  const std::size_t size = frame.used();
  // Grows to what the largest group needs and stays: no memory is asked for in the steady state.
  if (memory_.size() < at + size) memory_.resize(at + size);
  file.read(frame.bodyOffset, memory_.data() + at, size);
  const std::vector<FrameColumn> columns = frameColumns(frame, memory_.data() + at, types_);
  if (columns.empty()) return Taken::damaged;
  if (!timesAreSet(columns[times_].values, frame.rows)) return Taken::unset;
  Part part{frame.rows, {}};
  for (const FrameColumn &column : columns) {
    const auto place = [&](const uint8_t *data) {
      return data == nullptr ? 0 : static_cast<std::size_t>(data - memory_.data());
    };
    part.columns.push_back({place(column.values), place(column.offsets)});
  }
  parts_.push_back(std::move(part));
  used_ += size;
  rows_ += frame.rows;
  return Taken::added;
}

void RowGroup::clear() {
  parts_.clear();
  used_ = 0;
  rows_ = 0;
}

std::vector<std::string_view> RowGroup::bytes(int source) const {
  std::vector<std::string_view> values;
  values.reserve(rows_);
  if (source < 0) values.resize(rows_);
  else {
    for (const Part &part : parts_) {
      const uint8_t *offsets = memory_.data() + part.columns[source].offsets;
      const auto *first = reinterpret_cast<const char *>(memory_.data() + part.columns[source].values);
      for (std::size_t row = 0; row < part.rows; row++) {
        const auto from = load<int32_t>(offsets + 4 * row);
        const auto to = load<int32_t>(offsets + 4 * row + 4);
        values.emplace_back(first + from, static_cast<std::size_t>(to - from));
      }
    }
  }
  return values;
}

}  // namespace aftertrace
