// SPDX-License-Identifier: Apache-2.0
#include "js_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "elf_image.h"
#include "loop_probes.h"
#include "post_probes.h"

namespace aftertrace {

Napi::Value loopProbes(const Napi::CallbackInfo &call) {
  const Napi::Env env = call.Env();
  const std::string path = call[0].As<Napi::String>().Utf8Value();
  Napi::Array array = Napi::Array::New(env);
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return array;
  const std::vector<uint64_t> offsets = planLoopProbes(ElfImage(descriptor));
  close(descriptor);
  for (const uint64_t offset : offsets) {
    array.Set(array.Length(), Napi::Number::New(env, static_cast<double>(offset)));
  }
  return array;
}

Napi::Value postProbes(const Napi::CallbackInfo &call) {
  const std::string path = call[0].As<Napi::String>().Utf8Value();
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const PostPlan plan = planPostProbes(ElfImage(descriptor));
  if (descriptor >= 0) close(descriptor);
  Napi::Object object = Napi::Object::New(call.Env());
  object.Set("posted", static_cast<double>(plan.posted));
  object.Set("taken", static_cast<double>(plan.taken));
  object.Set("refused", plan.refused);
  return object;
}

}  // namespace aftertrace
