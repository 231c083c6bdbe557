// SPDX-License-Identifier: Apache-2.0
// What is known of Go programs, for JavaScript.
#pragma once

#include <napi.h>

namespace aftertrace {

// goroutineProbe(path): the file offset of the probe that would be set into a Go program, for the tests.
// Undefined where there would be none.
Napi::Value goroutineProbe(const Napi::CallbackInfo &call);

}  // namespace aftertrace
