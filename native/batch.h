// SPDX-License-Identifier: Apache-2.0
// The events of one drain as columns: what src/model/batch.ts calls a Batch, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "events.h"

namespace aftertrace {

// name, C type, type in EVENT_COLUMNS
#define AFTERTRACE_NUMBER_COLUMNS(COLUMN)   \
  COLUMN(time_ns, int64_t, "int64")         \
  COLUMN(kind, uint8_t, "uint8")            \
  COLUMN(flags, uint16_t, "uint16")         \
  COLUMN(pid, uint32_t, "uint32")           \
  COLUMN(tid, uint32_t, "uint32")           \
  COLUMN(connection, uint64_t, "uint64")    \
  COLUMN(sequence, uint32_t, "uint32")      \
  COLUMN(peer_sequence, uint32_t, "uint32") \
  COLUMN(bytes, uint32_t, "uint32")         \
  COLUMN(error, uint16_t, "uint16")         \
  COLUMN(local_port, uint16_t, "uint16")    \
  COLUMN(remote_port, uint16_t, "uint16")   \
  COLUMN(netns, uint32_t, "uint32")         \
  COLUMN(cgroup, uint64_t, "uint64")        \
  COLUMN(parent, uint32_t, "uint32")        \
  COLUMN(count, uint64_t, "uint64")         \
  COLUMN(peer, uint64_t, "uint64")          \
  COLUMN(goroutine, uint32_t, "uint32")     \
  COLUMN(caller, uint32_t, "uint32")        \
  COLUMN(creator, uint32_t, "uint32")       \
  COLUMN(slice, uint32_t, "uint32")         \
  COLUMN(lease_tid, uint32_t, "uint32")     \
  COLUMN(lease_age, uint32_t, "uint32")     \
  COLUMN(wakee, uint32_t, "uint32")         \
  COLUMN(call, uint16_t, "uint16")          \
  COLUMN(wait_call, uint16_t, "uint16")     \
  COLUMN(wait_word, uint64_t, "uint64")

#define AFTERTRACE_BYTES_COLUMNS(COLUMN) \
  COLUMN(local_address, "text")          \
  COLUMN(remote_address, "text")         \
  COLUMN(name, "text")                   \
  COLUMN(detail, "text")                 \
  COLUMN(payload, "binary")

// Values of any length, one behind the other.
class BytesColumn {
 public:
  explicit BytesColumn(std::size_t capacity) { offsets_.reserve(capacity + 1); clear(); }
  void clear() { offsets_.assign(1, 0); data_.clear(); }
  void reserve(std::size_t bytes) { data_.reserve(bytes); }
  void append(const void *data, std::size_t size) {
    const auto *first = static_cast<const uint8_t *>(data);
    data_.insert(data_.end(), first, first + size);
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
  void endRow() { offsets_.push_back(static_cast<int32_t>(data_.size())); }

  // The bytes of one row, to be changed in place.
  std::pair<uint8_t *, std::size_t> row(std::size_t index) {
    const auto from = static_cast<std::size_t>(offsets_[index]);
    return {data_.data() + from, static_cast<std::size_t>(offsets_[index + 1]) - from};
  }

  std::pair<const uint8_t *, std::size_t> row(std::size_t index) const {
    const auto from = static_cast<std::size_t>(offsets_[index]);
    return {data_.data() + from, static_cast<std::size_t>(offsets_[index + 1]) - from};
  }

  const std::vector<int32_t> &offsets() const { return offsets_; }
  const std::vector<uint8_t> &data() const { return data_; }

 private:
  std::vector<int32_t> offsets_;
  std::vector<uint8_t> data_;
};

class Batch {
 public:
  // Rows after which a batch is full, and bytes of payload and text after which it is.
  static constexpr std::size_t kRows = 4096;
  static constexpr std::size_t kVariableBytes = 1 << 20;

  Batch();

  // Adds one record of the ring. Records of an unknown kind or with an impossible size are refused.
  // `turn` names what its payload was recognised as.
  bool append(const event_header &record, std::size_t size, int64_t offset_ns,
              std::string_view turn = {});
  void clear();

  std::size_t rows() const { return rows_; }
  bool full() const { return rows_ >= kRows || variableBytes_ >= kVariableBytes; }
  // Memory that it occupies, filled or not.
  std::size_t memory() const;

#define COLUMN(name, type, label) std::vector<type> name;
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) BytesColumn name{kRows};
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN

 private:
  void appendBody(const event_header &record, std::size_t row);
  void appendIo(const event_io &event, std::size_t row);
  void appendWake(const event_wake &event, std::size_t row);
  void appendConnection(const event_connection &event, std::size_t row);
  void appendProcess(const event_process &event, std::size_t row);

  std::size_t rows_ = 0;
  std::size_t variableBytes_ = 0;
};

}  // namespace aftertrace
