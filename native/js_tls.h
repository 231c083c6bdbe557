// SPDX-License-Identifier: Apache-2.0
// What is known of TLS libraries, for JavaScript.
#pragma once

#include <napi.h>

#include "tls_watcher.h"

namespace aftertrace {

// { targets, probes, stepped, findings: [{ pid, kind, path, detail }] }: findings since the last call.
Napi::Object tlsToJs(Napi::Env env, TlsWatcher &watcher);

// tlsProbes(path, all): the probes that would be set into a file, for the tests and doctor.
// An array of { program, offset, cookie, cheap }; empty for anything that is no TLS library.
Napi::Value tlsProbes(const Napi::CallbackInfo &call);

}  // namespace aftertrace
