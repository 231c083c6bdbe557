// SPDX-License-Identifier: Apache-2.0
// The record batches of an open segment: an Arrow IPC stream, read frame by frame. Nothing in the file
// is trusted: it may be cut, damaged or foreign. As src/store/arrow-frames.ts and arrow-message.ts.
// https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
#pragma once

#include <optional>

#include "bytes.h"
#include "columns.h"
#include "segment_io.h"

namespace aftertrace {

// A part of a frame's body.
struct Region {
  uint64_t offset;
  uint64_t length;
};

struct Frame {
  uint64_t bodyOffset;
  uint64_t end;
  std::size_t rows;
  std::size_t columns;
  std::vector<Region> buffers;

  // Bytes of the body up to the end of its last buffer: what follows is padding.
  uint64_t used() const;
};

// What lies at a place of the stream: a batch, or nothing whole.
struct Found {
  enum { batch, end, torn } what;
  Frame frame;
};

// Never fails for what the file holds. @throws IoError
Found findFrame(SegmentInput &file, uint64_t offset);

// Values of one column of one frame in memory.
struct FrameColumn {
  const uint8_t *values = nullptr;   // numbers, or the bytes that the offsets point into
  const uint8_t *offsets = nullptr;  // rows + 1 of 32 bits; null for numbers
};

// The columns of a frame whose body lies at `body`, in the order of the file; empty if the frame is not
// what the columns need. Every value that it points to lies in the body.
std::vector<FrameColumn> frameColumns(const Frame &frame, const uint8_t *body,
                                      const std::vector<ColumnType> &types);

}  // namespace aftertrace
