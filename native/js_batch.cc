// SPDX-License-Identifier: Apache-2.0
#include "js_batch.h"

#include <cstring>

namespace aftertrace {
namespace {

// The copy keeps the buffers ordinary ones: they may be transferred to a worker, which memory
// lent by an addon may not.
template <typename T>
Napi::Value typedArray(Napi::Env env, const T *data, std::size_t length) {
  const std::size_t bytes = length * sizeof(T);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(buffer.Data(), data, bytes);
  return Napi::TypedArrayOf<T>::New(env, length, buffer, 0);
}

Napi::Object bytesColumn(Napi::Env env, const BytesColumn &column) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("offsets", typedArray(env, column.offsets().data(), column.offsets().size()));
  object.Set("data", typedArray(env, column.data().data(), column.data().size()));
  return object;
}

}  // namespace

Napi::Object toJs(Napi::Env env, const Batch &batch) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("rows", Napi::Number::New(env, static_cast<double>(batch.rows())));
#define COLUMN(name, type, label) \
  object.Set(#name, typedArray(env, batch.name.data(), batch.rows()));
  AFTERTRACE_NUMBER_COLUMNS(COLUMN)
#undef COLUMN
#define COLUMN(name, label) object.Set(#name, bytesColumn(env, batch.name));
  AFTERTRACE_BYTES_COLUMNS(COLUMN)
#undef COLUMN
  return object;
}

}  // namespace aftertrace
