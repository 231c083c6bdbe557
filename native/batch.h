// SPDX-License-Identifier: Apache-2.0
// The events of one drain as columns: what src/model/batch.ts calls a Batch, in the same order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "events.h"

namespace aftertrace {

// name, C type, type in EVENT_COLUMNS. Dense: nearly every event has a value.
#define AFTERTRACE_DENSE_COLUMNS(COLUMN)    \
  COLUMN(time_ns, int64_t, "int64")         \
  COLUMN(kind, uint8_t, "uint8")            \
  COLUMN(flags, uint16_t, "uint16")         \
  COLUMN(pid, uint32_t, "uint32")           \
  COLUMN(tid, uint32_t, "uint32")           \
  COLUMN(connection, uint64_t, "uint64")    \
  COLUMN(sequence, uint32_t, "uint32")      \
  COLUMN(peer_sequence, uint32_t, "uint32") \
  COLUMN(bytes, uint32_t, "uint32")

// Sparse: most batches have none.
#define AFTERTRACE_SPARSE_COLUMNS(COLUMN)   \
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

#define AFTERTRACE_NUMBER_COLUMNS(COLUMN) \
  AFTERTRACE_DENSE_COLUMNS(COLUMN)        \
  AFTERTRACE_SPARSE_COLUMNS(COLUMN)

#define AFTERTRACE_BYTES_COLUMNS(COLUMN) \
  COLUMN(local_address, "text")          \
  COLUMN(remote_address, "text")         \
  COLUMN(name, "text")                   \
  COLUMN(detail, "text")                 \
  COLUMN(payload, "binary")

// Numbers that most rows leave 0: they take memory and time only where one is set.
template <typename T>
class SparseColumn {
 public:
  explicit SparseColumn(std::size_t rows) : rows_(rows) {}
  void set(std::size_t row, T value) {
    if (value == 0) return;
    if (values_.empty()) values_.resize(rows_);
    values_[row] = value;
    isSet_ = true;
  }
  T operator[](std::size_t row) const { return isSet_ ? values_[row] : T{0}; }
  // Whether all rows are 0; if not, their values.
  bool isZero() const { return !isSet_; }
  const std::vector<T> &values() const { return values_; }
  void clear(std::size_t rows) {
    if (isSet_) std::fill_n(values_.begin(), rows, T{0});
    isSet_ = false;
  }
  std::size_t memory() const { return values_.size() * sizeof(T); }

 private:
  std::size_t rows_;
  bool isSet_ = false;
  std::vector<T> values_;
};

// Values of any length, one behind the other. Rows behind the last one that has bytes need no entry.
class BytesColumn {
 public:
  explicit BytesColumn(std::size_t rows) : rows_(rows) { clear(); }
  void clear() { offsets_.assign(1, 0); data_.clear(); }
  void reserve(std::size_t bytes) { data_.reserve(bytes); }
  // Adds bytes to a row; rows before it can have no more.
  void append(std::size_t row, const void *data, std::size_t size) {
    if (size == 0) return;
    if (offsets_.capacity() == 1) offsets_.reserve(rows_ + 1);
    offsets_.resize(row + 1, static_cast<int32_t>(data_.size()));
    const auto *first = static_cast<const uint8_t *>(data);
    data_.insert(data_.end(), first, first + size);
  }
  void append(std::size_t row, std::string_view text) { append(row, text.data(), text.size()); }

  // The bytes of one row, to be changed in place.
  std::pair<uint8_t *, std::size_t> row(std::size_t index) {
    return {data_.data() + offset(index), offset(index + 1) - offset(index)};
  }

  std::pair<const uint8_t *, std::size_t> row(std::size_t index) const {
    return {data_.data() + offset(index), offset(index + 1) - offset(index)};
  }

  // Where the row begins, and the one before it ends.
  std::size_t offset(std::size_t index) const {
    return index < offsets_.size() ? static_cast<std::size_t>(offsets_[index]) : data_.size();
  }
  // Offsets of the first rows; the others are at the end of the data.
  const std::vector<int32_t> &offsets() const { return offsets_; }
  const std::vector<uint8_t> &data() const { return data_; }

 private:
  std::size_t rows_;
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
  AFTERTRACE_DENSE_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, type, label) SparseColumn<type> name{kRows};
  AFTERTRACE_SPARSE_COLUMNS(COLUMN)
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
