// SPDX-License-Identifier: Apache-2.0
#include "js_recognise.h"

#include "recognise.h"

namespace aftertrace {
namespace {

Protocol protocolOf(const std::string &name) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(Protocol::x11); i++) {
    if (nameOf(static_cast<Protocol>(i)) == name) return static_cast<Protocol>(i);
  }
  return Protocol::unknown;
}

}  // namespace

// The protocol, and behind a space the operation.
Napi::Value recogniseTurn(const Napi::CallbackInfo &call) {
  const Napi::Uint8Array bytes = call[0].As<Napi::Uint8Array>();
  // A copy without spare room, so that a checker of memory accesses sees what is read beyond it.
  const std::vector<uint8_t> exact(bytes.Data(), bytes.Data() + bytes.ElementLength());
  const Turn turn = recognise({exact.data(), exact.size(), call[1].As<Napi::Number>().Uint32Value()},
                              protocolOf(call[2].As<Napi::String>().Utf8Value()),
                              call[3].As<Napi::Boolean>().Value());
  std::string name(nameOf(turn.protocol));
  if (!turn.operation.empty()) name.append(" ").append(turn.operation);
  return Napi::String::New(call.Env(), name);
}

}  // namespace aftertrace
