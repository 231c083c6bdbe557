// SPDX-License-Identifier: Apache-2.0
#include "js_redact.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace aftertrace {
namespace {

// Captured bytes are compared with names as if they were Latin-1, as in src/recorder/redact.ts.
std::string latin1(Napi::Value value) {
  std::size_t length = 0;
  napi_get_value_string_latin1(value.Env(), value, nullptr, 0, &length);
  std::string text(length + 1, '\0');
  napi_get_value_string_latin1(value.Env(), value, text.data(), text.size(), &length);
  text.resize(length);
  return text;
}

std::vector<std::string> names(Napi::Object policy, const char *key) {
  const Napi::Array array = policy.Get(key).As<Napi::Array>();
  std::vector<std::string> values;
  for (uint32_t i = 0; i < array.Length(); i++) values.push_back(latin1(array.Get(i)));
  return values;
}

std::optional<SipKey> markKey(Napi::Object policy) {
  const Napi::Value value = policy.Get("markKey");
  if (!value.IsTypedArray()) return std::nullopt;
  const auto bytes = value.As<Napi::Uint8Array>();
  SipKey key;
  if (bytes.ByteLength() != sizeof key) throw Napi::Error::New(policy.Env(), "a key has 16 bytes");
  std::memcpy(key.data(), bytes.Data(), sizeof key);
  return key;
}

std::unordered_set<std::string> nameSet(Napi::Object policy, const char *key) {
  const std::vector<std::string> all = names(policy, key);
  return {all.begin(), all.end()};
}

template <typename T>
void copyColumn(Napi::Object batch, const char *name, std::vector<T> &out) {
  const auto column = batch.Get(name).As<Napi::TypedArrayOf<T>>();
  std::copy_n(column.Data(), column.ElementLength(), out.begin());
}

void redactBatch(Redactor &redactor, Napi::Object object) {
  Batch batch;
  copyColumn(object, "kind", batch.kind);
  copyColumn(object, "flags", batch.flags);
  copyColumn(object, "connection", batch.connection);
  copyColumn(object, "sequence", batch.sequence);
  copyColumn(object, "bytes", batch.bytes);
  const Napi::Object payload = object.Get("payload").As<Napi::Object>();
  const auto offsets = payload.Get("offsets").As<Napi::TypedArrayOf<int32_t>>();
  auto data = payload.Get("data").As<Napi::TypedArrayOf<uint8_t>>();
  const std::size_t rows = offsets.ElementLength() - 1;
  for (std::size_t row = 0; row < rows; row++) {
    batch.payload.append(row, data.Data() + offsets[row],
                         static_cast<std::size_t>(offsets[row + 1] - offsets[row]));
    redactor.apply(batch, row);
  }
  std::copy(batch.payload.data().begin(), batch.payload.data().end(), data.Data());
}

}  // namespace

std::unique_ptr<RedactionPolicy> readPolicy(Napi::Value policy) {
  if (!policy.IsObject()) return nullptr;
  const Napi::Object object = policy.As<Napi::Object>();
  return std::make_unique<RedactionPolicy>(
      RedactionPolicy{nameSet(object, "headers"), nameSet(object, "queryKeys"),
                      names(object, "telltales"), nameSet(object, "urlHeaders"),
                      markKey(object)});
}

void redact(const Napi::CallbackInfo &call) {
  const auto policy = readPolicy(call[0]);
  const Napi::Array batches = call[1].As<Napi::Array>();
  if (!policy) throw Napi::Error::New(call.Env(), "a policy is needed");
  Redactor redactor(*policy);
  for (uint32_t i = 0; i < batches.Length(); i++) {
    if (batches.Get(i).As<Napi::Object>().Get("kind").As<Napi::TypedArray>().ElementLength() >
        Batch::kRows) {
      throw Napi::Error::New(call.Env(), "a batch has too many rows");
    }
    redactBatch(redactor, batches.Get(i).As<Napi::Object>());
  }
}

}  // namespace aftertrace
