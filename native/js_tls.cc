// SPDX-License-Identifier: Apache-2.0
#include "js_tls.h"

#include <fcntl.h>
#include <unistd.h>

#include "elf_image.h"
#include "tls_probes.h"

namespace aftertrace {
namespace {

const char *nameOf(TlsProgram program) {
  switch (program) {
    case TlsProgram::call:
      return "call";
    case TlsProgram::result:
      return "result";
    case TlsProgram::forget:
      return "forget";
  }
  return "";
}

}  // namespace

Napi::Object tlsToJs(Napi::Env env, TlsWatcher &watcher) {
  const TlsSummary summary = watcher.summary();
  const std::vector<TlsFinding> findings = watcher.takeFindings();
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&](const char *name, std::size_t value) {
    object.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("targets", summary.targets);
  set("probes", summary.probes);
  set("stepped", summary.stepped);
  Napi::Array array = Napi::Array::New(env, findings.size());
  for (uint32_t i = 0; i < findings.size(); i++) {
    Napi::Object finding = Napi::Object::New(env);
    finding.Set("pid", Napi::Number::New(env, findings[i].pid));
    finding.Set("kind", findings[i].kind);
    finding.Set("path", findings[i].path);
    finding.Set("detail", findings[i].detail);
    array.Set(i, finding);
  }
  object.Set("findings", array);
  return object;
}

Napi::Value tlsProbes(const Napi::CallbackInfo &call) {
  const Napi::Env env = call.Env();
  const std::string path = call[0].As<Napi::String>().Utf8Value();
  Napi::Array array = Napi::Array::New(env);
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return array;
  const std::vector<TlsProbe> probes = planTlsProbes(ElfImage(descriptor), call[1].ToBoolean());
  close(descriptor);
  for (const TlsProbe &probe : probes) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("program", nameOf(probe.program));
    object.Set("offset", Napi::Number::New(env, static_cast<double>(probe.offset)));
    object.Set("cookie", Napi::Number::New(env, static_cast<double>(probe.cookie)));
    object.Set("cheap", Napi::Boolean::New(env, probe.cheap));
    array.Set(array.Length(), object);
  }
  return array;
}

}  // namespace aftertrace
