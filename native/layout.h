// SPDX-License-Identifier: Apache-2.0
// What the C side believes about records and columns, for the test that compares it with TypeScript.
#pragma once

#include <napi.h>

namespace aftertrace {

// { constants: {NAME: number}, structs: {name: {size, fields: {name: offset}}}, columns: [{name, type}] }
Napi::Object layout(Napi::Env env);

}  // namespace aftertrace
