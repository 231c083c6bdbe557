// SPDX-License-Identifier: Apache-2.0
#include "row_group.h"

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

bool timesAreSet(const uint8_t *times, std::size_t rows) {
  for (std::size_t row = 0; row < rows; row++) {
    if (load<int64_t>(times + 8 * row) <= 0) return false;
  }
  return rows > 0;
}

}  // namespace

void RowGroup::reserve(std::size_t size) {
  if (size <= capacity_) return;
  std::unique_ptr<uint8_t[]> larger(new uint8_t[size]);
  std::copy_n(memory_.get(), used_, larger.get());
  memory_ = std::move(larger);
  capacity_ = size;
}

Taken RowGroup::add(SegmentInput &file, const Frame &frame) {
  const std::size_t size = frame.used();
  reserve(std::max(used_ + size, kBytes));
  uint8_t *body = memory_.get() + used_;
  file.read(frame.bodyOffset, body, size);
  const std::vector<FrameColumn> columns = frameColumns(frame, body, types_);
  if (columns.empty()) return Taken::damaged;
  if (!timesAreSet(columns[times_].values, frame.rows)) return Taken::unset;
  Part part{frame.rows, {}};
  for (const FrameColumn &column : columns) {
    const auto place = [&](const uint8_t *data) {
      return data == nullptr ? 0 : static_cast<std::size_t>(data - memory_.get());
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

bool RowGroup::isEmpty(int source) const {
  if (source < 0) return true;
  const std::size_t width = widthOf(types_[static_cast<std::size_t>(source)]);
  return std::all_of(parts_.begin(), parts_.end(), [&](const Part &part) {
    const Place &place = part.columns[static_cast<std::size_t>(source)];
    if (width == 0) {
      const uint8_t *offsets = memory_.get() + place.offsets;
      return load<int32_t>(offsets) == load<int32_t>(offsets + 4 * part.rows);
    }
    // All bytes are like the first one, and that is 0.
    const uint8_t *values = memory_.get() + place.values;
    return values[0] == 0 && std::memcmp(values, values + 1, part.rows * width - 1) == 0;
  });
}

void RowGroup::texts(int source, std::vector<std::string_view> &values) const {
  if (source < 0) return values.assign(rows_, {});
  values.clear();
  for (const Part &part : parts_) {
    const uint8_t *offsets = memory_.get() + part.columns[source].offsets;
    const auto *first = reinterpret_cast<const char *>(memory_.get() + part.columns[source].values);
    for (std::size_t row = 0; row < part.rows; row++) {
      const auto from = load<int32_t>(offsets + 4 * row);
      const auto to = load<int32_t>(offsets + 4 * row + 4);
      values.emplace_back(first + from, static_cast<std::size_t>(to - from));
    }
  }
}

}  // namespace aftertrace
