// SPDX-License-Identifier: Apache-2.0
// A batch as JavaScript sees it: one ArrayBuffer per column, made on the JavaScript thread.
#pragma once

#include <napi.h>

#include "batch.h"

namespace aftertrace {

Napi::Object toJs(Napi::Env env, const Batch &batch);

}  // namespace aftertrace
