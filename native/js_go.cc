// SPDX-License-Identifier: Apache-2.0
#include "js_go.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "elf_image.h"
#include "go_probes.h"

namespace aftertrace {

Napi::Value goroutineProbe(const Napi::CallbackInfo &call) {
  const Napi::Env env = call.Env();
  const std::string path = call[0].As<Napi::String>().Utf8Value();
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return env.Undefined();
  const auto offset = planGoroutineProbe(ElfImage(descriptor));
  close(descriptor);
  return offset ? Napi::Number::New(env, static_cast<double>(*offset)) : env.Undefined();
}

}  // namespace aftertrace
