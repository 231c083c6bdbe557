// SPDX-License-Identifier: Apache-2.0
// Redaction as the recorder does it, on batches made by JavaScript: for the tests.
#pragma once

#include <napi.h>

#include <memory>

#include "redactor.h"

namespace aftertrace {

// From { headers, queryKeys, telltales, urlHeaders, markKey? }; null where that is no object.
std::unique_ptr<RedactionPolicy> readPolicy(Napi::Value policy);

// redact(policy, batches): masks the payloads of the batches in place, one after the other.
void redact(const Napi::CallbackInfo &call);

}  // namespace aftertrace
