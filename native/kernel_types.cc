// SPDX-License-Identifier: Apache-2.0
#include "kernel_types.h"

#include <bpf/btf.h>

#include <memory>

namespace aftertrace {

std::string missingTracepoint(std::initializer_list<const char *> names) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  if (!types) return "";
  for (const char *name : names) {
    const std::string type = std::string("btf_trace_") + name;
    if (btf__find_by_name_kind(types.get(), type.c_str(), BTF_KIND_TYPEDEF) < 0) return name;
  }
  return "";
}

}  // namespace aftertrace
