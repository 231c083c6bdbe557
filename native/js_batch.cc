// SPDX-License-Identifier: Apache-2.0
#include "js_batch.h"

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

// The columns, side by side in one ArrayBuffer; those of nothing but zeros view another one, together.
class Columns {
 public:
  Columns(Napi::ArrayBuffer buffer, Napi::ArrayBuffer zeros, std::size_t rows)
      : env_(buffer.Env()), buffer_(buffer), zeros_(zeros), rows_(rows) {}

  template <typename T>
  Napi::Value add(const std::vector<T> &values) {
    return view(values.data(), rows_, rows_);
  }

  template <typename T>
  Napi::Value add(const SparseColumn<T> &column) {
    return column.isZero() ? zeros<T>(rows_) : add(column.values());
  }

  Napi::Object add(const BytesColumn &column) {
    Napi::Object object = Napi::Object::New(env_);
    const std::vector<uint8_t> &data = column.data();
    object.Set("offsets", data.empty() ? zeros<int32_t>(rows_ + 1) : offsets(column));
    object.Set("data", view(data.data(), data.size(), data.size()));
    return object;
  }

 private:
  Napi::Value offsets(const BytesColumn &column) {
    const std::vector<int32_t> &known = column.offsets();
    auto *to = reinterpret_cast<int32_t *>(static_cast<char *>(buffer_.Data()) + used_);
    std::fill(to + known.size(), to + rows_ + 1, static_cast<int32_t>(column.data().size()));
    return view(known.data(), known.size(), rows_ + 1);
  }

  // Copies the first `count` values, and shows `length`.
  template <typename T>
  Napi::Value view(const T *values, std::size_t count, std::size_t length) {
    const std::size_t at = used_;
    if (count > 0) std::memcpy(static_cast<char *>(buffer_.Data()) + at, values, count * sizeof(T));
    used_ += aligned(length * sizeof(T));
    return Napi::TypedArrayOf<T>::New(env_, length, buffer_, at);
  }

  template <typename T>
  Napi::Value zeros(std::size_t length) {
    return Napi::TypedArrayOf<T>::New(env_, length, zeros_, 0);
  }

  Napi::Env env_;
  Napi::ArrayBuffer buffer_, zeros_;
  std::size_t rows_;
  std::size_t used_ = 0;
};

template <typename T>
std::size_t bytesOf(const std::vector<T> &, std::size_t rows) {
  return aligned(rows * sizeof(T));
}

template <typename T>
std::size_t bytesOf(const SparseColumn<T> &column, std::size_t rows) {
  return column.isZero() ? 0 : aligned(rows * sizeof(T));
}

std::size_t bytesOf(const BytesColumn &column, std::size_t rows) {
  if (column.data().empty()) return 0;
  return aligned((rows + 1) * sizeof(int32_t)) + aligned(column.data().size());
}

std::size_t bytesOf(const Batch &batch) {
  std::size_t bytes = 0;
#define COLUMN(name, ...) bytes += bytesOf(batch.name, batch.rows());
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return bytes;
}

}  // namespace

Napi::Object JsBatches::toJs(Napi::Env env, const Batch &batch) {
  const std::size_t bytes = bytesOf(batch);
  if (memory_.IsEmpty() || memory_.Value().ByteLength() < bytes) {
    memory_ = Napi::Persistent(Napi::ArrayBuffer::New(env, std::max(bytes + bytes / 4, kLeast)));
  }
  // Enough for a column of the widest numbers, and for offsets.
  if (zeros_.IsEmpty()) {
    zeros_ = Napi::Persistent(Napi::ArrayBuffer::New(env, Batch::kRows * sizeof(uint64_t)));
  }
  Columns columns(memory_.Value(), zeros_.Value(), batch.rows());
  Napi::Object object = Napi::Object::New(env);
  object.Set("rows", Napi::Number::New(env, static_cast<double>(batch.rows())));
#define COLUMN(name, ...) object.Set(#name, columns.add(batch.name));
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return object;
}

}  // namespace aftertrace
