// SPDX-License-Identifier: Apache-2.0
// Where hints of event loops and of posted messages are probed, for the tests.
#pragma once

#include <napi.h>

namespace aftertrace {

// loopProbes(path): the file offsets of the probes that would be set into a C library.
// Empty for anything else.
Napi::Value loopProbes(const Napi::CallbackInfo &call);

// postProbes(path): {posted, taken, refused}, the file offsets of the probes that would be set into Node, or why not.
Napi::Value postProbes(const Napi::CallbackInfo &call);

}  // namespace aftertrace
