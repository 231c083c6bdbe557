// SPDX-License-Identifier: Apache-2.0
// recognise(bytes, moved, known, datagram): the recogniser for the tests.
#pragma once

#include <napi.h>

namespace aftertrace {

Napi::Value recogniseTurn(const Napi::CallbackInfo &call);

}  // namespace aftertrace
