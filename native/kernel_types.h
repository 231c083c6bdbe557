// SPDX-License-Identifier: Apache-2.0
// What the kernel's own type information (BTF) says it has.
#pragma once

#include <initializer_list>
#include <string>

namespace aftertrace {

constexpr const char *kKernelTypes = "/sys/kernel/btf/vmlinux";

// The first of these tracepoints that the kernel has not; "" as well where that cannot be read.
std::string missingTracepoint(std::initializer_list<const char *> names);

}  // namespace aftertrace
