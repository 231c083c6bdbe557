// SPDX-License-Identifier: Apache-2.0
#include "encode_segment.h"

#include <algorithm>

#include "row_order.h"

namespace aftertrace {
namespace {

constexpr std::size_t kGroupRows = 1 << 16;
// The recorder writes batches of a few megabytes.
constexpr uint64_t kMaxBody = 256 << 20;

constexpr std::string_view kMagic = "PAR1";

int sourceOf(const EncodeOptions &options, const char *name, ColumnType type) {
  for (const Column &column : options.columns) {
    if (column.name == name && column.type == type) return column.source;
  }
  throw std::runtime_error(std::string("a segment needs the column ") + name);
}

OrderColumns orderColumns(const EncodeOptions &options) {
  const auto find = [&](const char *name, ColumnType type) { return sourceOf(options, name, type); };
  return {find("kind", ColumnType::uint8),
          find("connection", ColumnType::uint64),
          find("peer", ColumnType::uint64),
          find("local_address", ColumnType::text),
          find("remote_address", ColumnType::text),
          find("local_port", ColumnType::uint16),
          find("remote_port", ColumnType::uint16)};
}

class SegmentEncoder {
 public:
  SegmentEncoder(const EncodeOptions &options, const std::atomic<bool> &cancelled)
      : options_(options),
        cancelled_(cancelled),
        input_(options.input, options.inputEnvelope),
        output_(options.output, options.outputEnvelope),
        writer_(output_),
        sorter_(orderColumns(options)),
        group_(options.inputTypes, sourceOf(options, "time_ns", ColumnType::int64)),
        file_{options.columns, {}, options.metadata, options.createdBy} {}

  EncodeResult run() {
    output_.write(kMagic.data(), kMagic.size());
    const uint64_t end = readFrames();
    writeGroup();
    output_.write(footerOf(file_));
    output_.finish();
    result_.bytes = output_.bytes();
    result_.sha256 = output_.sha256();
    result_.tornBytes = input_.size() - end;
    return result_;
  }

 private:
  // @returns the end of what is whole
  uint64_t readFrames() {
    for (uint64_t at = options_.dataStart;;) {
      const Found found = findFrame(input_, at);
      if (found.what == Found::end) return input_.size();
      if (found.what == Found::torn) return at;
      const Taken taken = take(found.frame);
      if (taken == Taken::damaged && findFrame(input_, found.frame.end).what == Found::batch) {
        throw DamagedSegment("is damaged at byte " + std::to_string(at));
      }
      if (taken != Taken::added) return at;
      at = found.frame.end;
    }
  }

  // Adds a frame to the group at hand, or to a new one where it does not fit.
  Taken take(const Frame &frame) {
    if (frame.used() > kMaxBody) return Taken::damaged;
    const bool fits =
        group_.rows() + frame.rows <= kGroupRows && group_.bytes() + frame.used() <= RowGroup::kBytes;
    if (!fits) writeGroup();
    return group_.add(input_, frame);
  }

  void writeGroup() {
    if (group_.rows() == 0) return;
    const RowOrder &order = sorter_.sort(group_);
    RowGroupInfo info{group_.rows(), {}};
    for (const Column &column : options_.columns) {
      if (cancelled_) throw Cancelled();
      info.chunks.push_back(writer_.write(column, group_, order));
    }
    file_.groups.push_back(std::move(info));
    result_.rows += group_.rows();
    group_.clear();
  }

  const EncodeOptions &options_;
  const std::atomic<bool> &cancelled_;
  SegmentInput input_;
  SegmentOutput output_;
  ChunkWriter writer_;
  RowSorter sorter_;
  RowGroup group_;
  FileInfo file_;
  EncodeResult result_;
};

}  // namespace

EncodeResult encodeSegment(const EncodeOptions &options, const std::atomic<bool> &cancelled) {
  return SegmentEncoder(options, cancelled).run();
}

}  // namespace aftertrace
