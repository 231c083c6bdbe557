// SPDX-License-Identifier: Apache-2.0
// encodeSegment() as JavaScript sees it: a promise, and a thread of low priority behind it.
#pragma once

#include <napi.h>

namespace aftertrace {

// See src/native/addon.ts for what it takes and gives.
Napi::Value encodeSegmentAsync(const Napi::CallbackInfo &call);

}  // namespace aftertrace
