// SPDX-License-Identifier: Apache-2.0
// A batch as JavaScript sees it: views of one ArrayBuffer, made on the JavaScript thread.
#pragma once

#include <napi.h>

#include "batch.h"

namespace aftertrace {

class JsBatches {
 public:
  // Valid until the next call: the memory is used again. Fresh buffers would wait for the garbage
  // collector, which has little reason to run in a recorder, and pile up to tens of megabytes.
  Napi::Object toJs(Napi::Env env, const Batch &batch);

 private:
  static constexpr std::size_t kLeast = 256 << 10;
  Napi::Reference<Napi::ArrayBuffer> memory_, zeros_;
};

}  // namespace aftertrace
