// SPDX-License-Identifier: Apache-2.0
// What is known of event loops, for JavaScript.
#pragma once

#include <napi.h>

namespace aftertrace {

// loopProbes(path): the file offsets of the probes that would be set into a C library, for the tests.
// Empty for anything else.
Napi::Value loopProbes(const Napi::CallbackInfo &call);

}  // namespace aftertrace
