// SPDX-License-Identifier: Apache-2.0
#include "part_frames.h"

#include <algorithm>

namespace aftertrace {
namespace {

// Prefix of a frame: FF FF FF FF, length of the metadata.
constexpr uint64_t kPrefix = 8;
constexpr uint32_t kMark = 0xffffffff;
// Enough for thousands of columns; more is damage.
constexpr uint32_t kMaxMetadata = 16 << 20;
constexpr uint64_t kMaxRows = 1 << 24;
constexpr uint8_t kRecordBatch = 3;

// A table of a flatbuffer. Reading what is not there or lies outside gives nothing.
// https://flatbuffers.dev/internals
class Table {
 public:
  Table(const Bytes &bytes, uint64_t at) : bytes_(bytes), at_(at) {
    const auto toVtable = value<int32_t>(at);
    if (!toVtable) return;
    // The distance is signed; a vtable before the buffer fails the check of its size.
    vtable_ = at - static_cast<uint64_t>(static_cast<int64_t>(*toVtable));
    size_ = value<uint16_t>(vtable_).value_or(0);
  }

  // Where a field's value lies.
  std::optional<uint64_t> field(unsigned index) const {
    const uint64_t slot = 4 + 2 * static_cast<uint64_t>(index);
    if (slot + 2 > size_) return std::nullopt;
    const uint16_t offset = value<uint16_t>(vtable_ + slot).value_or(0);
    if (offset == 0) return std::nullopt;
    return at_ + offset;
  }

  template <typename T>
  T number(unsigned index) const {
    const auto at = field(index);
    return at ? value<T>(*at).value_or(0) : 0;
  }

  // Where a field points to.
  std::optional<uint64_t> target(unsigned index) const {
    const auto at = field(index);
    const auto distance = at ? value<uint32_t>(*at) : std::nullopt;
    if (!distance) return std::nullopt;
    return *at + *distance;
  }

  // The place and count of a vector of structs of `size` bytes that lies whole in the buffer.
  std::optional<std::pair<uint64_t, uint64_t>> structs(unsigned index, uint64_t size) const {
    const auto at = target(index);
    const auto count = at ? value<uint32_t>(*at) : std::nullopt;
    if (!count || *count * size > bytes_.size() || *at + 4 + *count * size > bytes_.size()) {
      return std::nullopt;
    }
    return std::pair<uint64_t, uint64_t>{*at + 4, *count};
  }

 private:
  template <typename T>
  std::optional<T> value(uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return std::nullopt;
    return load<T>(bytes_.data() + at);
  }

  const Bytes &bytes_;
  uint64_t at_;
  uint64_t vtable_ = 0;
  uint16_t size_ = 0;
};

// Reads a Message with a RecordBatch in it. https://github.com/apache/arrow/blob/main/format/Message.fbs
bool decode(const Bytes &metadata, Frame &frame) {
  if (metadata.size() < 4) return false;
  const Table message(metadata, load<uint32_t>(metadata.data()));
  if (message.number<uint8_t>(1) != kRecordBatch) return false;
  const auto header = message.target(2);
  const auto bodyLength = message.number<int64_t>(3);
  if (!header || bodyLength < 0) return false;
  const Table batch(metadata, *header);
  const auto rows = batch.number<int64_t>(0);
  const auto nodes = batch.structs(1, 16);
  const auto buffers = batch.structs(2, 16);
  const bool isCompressed = batch.field(3).has_value();
  if (rows < 0 || static_cast<uint64_t>(rows) > kMaxRows || !nodes || !buffers || isCompressed) {
    return false;
  }
  frame.rows = static_cast<std::size_t>(rows);
  frame.columns = nodes->second;
  frame.end = frame.bodyOffset + static_cast<uint64_t>(bodyLength);
  for (uint64_t i = 0; i < buffers->second; i++) {
    const uint8_t *at = metadata.data() + buffers->first + 16 * i;
    const Region region{load<uint64_t>(at), load<uint64_t>(at + 8)};
    const auto length = static_cast<uint64_t>(bodyLength);
    if (region.offset > length || region.length > length - region.offset) return false;
    frame.buffers.push_back(region);
  }
  return true;
}

bool offsetsRise(const uint8_t *offsets, std::size_t rows, uint64_t size) {
  auto before = load<int32_t>(offsets);
  if (before < 0) return false;
  for (std::size_t row = 1; row <= rows; row++) {
    const auto next = load<int32_t>(offsets + 4 * row);
    if (next < before) return false;
    before = next;
  }
  return static_cast<uint64_t>(before) <= size;
}

}  // namespace

uint64_t Frame::used() const {
  uint64_t most = 0;
  for (const Region &region : buffers) most = std::max(most, region.offset + region.length);
  return most;
}

Found findFrame(SegmentInput &file, uint64_t offset) {
  const uint64_t size = file.size();
  if (offset > size || size - offset < kPrefix) return {Found::torn, {}};
  uint8_t prefix[kPrefix];
  file.read(offset, prefix, kPrefix);
  const auto length = load<uint32_t>(prefix + 4);
  if (load<uint32_t>(prefix) != kMark) return {Found::torn, {}};
  if (length == 0) return {Found::end, {}};
  if (length > kMaxMetadata || size - offset - kPrefix < length) return {Found::torn, {}};
  Bytes metadata(length);
  file.read(offset + kPrefix, metadata.data(), length);
  Found found{Found::batch, {}};
  found.frame.bodyOffset = offset + kPrefix + length;
  const bool whole = decode(metadata, found.frame) && found.frame.end <= size;
  return whole ? found : Found{Found::torn, {}};
}

std::vector<FrameColumn> frameColumns(const Frame &frame, const uint8_t *body,
                                      const std::vector<ColumnType> &types) {
  std::vector<FrameColumn> columns;
  if (frame.columns != types.size()) return columns;
  std::size_t next = 0;
  const auto take = [&](uint64_t least) -> const Region * {
    if (next == frame.buffers.size()) return nullptr;
    const Region &region = frame.buffers[next++];
    return region.length < least ? nullptr : &region;
  };
  for (const ColumnType type : types) {
    const std::size_t width = widthOf(type);
    FrameColumn column;
    const Region *validity = take(0);
    const Region *offsets = width == 0 ? take(4 * (frame.rows + 1)) : nullptr;
    const Region *values = take(width * frame.rows);
    if (validity == nullptr || values == nullptr || (width == 0 && offsets == nullptr)) return {};
    column.values = body + values->offset;
    if (width == 0) {
      column.offsets = body + offsets->offset;
      if (!offsetsRise(column.offsets, frame.rows, values->length)) return {};
    }
    columns.push_back(column);
  }
  return columns;
}

}  // namespace aftertrace
