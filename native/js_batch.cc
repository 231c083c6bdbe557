// SPDX-License-Identifier: Apache-2.0
#include "js_batch.h"

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

template <typename T>
std::size_t bytesOf(const std::vector<T> &values, std::size_t length) {
  return aligned(length * sizeof(T));
}

std::size_t bytesOf(const BytesColumn &column) {
  return bytesOf(column.offsets(), column.offsets().size()) +
         bytesOf(column.data(), column.data().size());
}

// The columns, side by side in one ArrayBuffer.
class Columns {
 public:
  explicit Columns(Napi::ArrayBuffer buffer) : env_(buffer.Env()), buffer_(buffer) {}

  template <typename T>
  Napi::Value add(const std::vector<T> &values, std::size_t length) {
    const std::size_t at = used_;
    if (length > 0) {
      std::memcpy(static_cast<char *>(buffer_.Data()) + at, values.data(), length * sizeof(T));
    }
    used_ += bytesOf(values, length);
    return Napi::TypedArrayOf<T>::New(env_, length, buffer_, at);
  }

  Napi::Object add(const BytesColumn &column) {
    Napi::Object object = Napi::Object::New(env_);
    object.Set("offsets", add(column.offsets(), column.offsets().size()));
    object.Set("data", add(column.data(), column.data().size()));
    return object;
  }

 private:
  Napi::Env env_;
  Napi::ArrayBuffer buffer_;
  std::size_t used_ = 0;
};

std::size_t bytesOf(const Batch &batch) {
  std::size_t bytes = 0;
#define COLUMN(name, type, label) bytes += bytesOf(batch.name, batch.rows());
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) bytes += bytesOf(batch.name);
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
  Columns columns(memory_.Value());
  Napi::Object object = Napi::Object::New(env);
  object.Set("rows", Napi::Number::New(env, static_cast<double>(batch.rows())));
#define COLUMN(name, type, label) object.Set(#name, columns.add(batch.name, batch.rows()));
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) object.Set(#name, columns.add(batch.name));
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return object;
}

}  // namespace aftertrace
