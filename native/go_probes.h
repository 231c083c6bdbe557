// SPDX-License-Identifier: Apache-2.0
// Where Go programs start goroutines: bpf/lib/go-births.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mapped_file.h"

namespace aftertrace {

// File offset of the instruction with which `go` queues a new goroutine, runqput(p, g, next): a call, which the
// kernel emulates. Nothing where runtime.newproc is not as in Go 1.17 to 1.20, or its functions cannot be found.
std::optional<uint64_t> planGoroutineProbe(const ElfImage &image);

// Probes the main program of a process. What fails leaves its goroutines without creators, no more.
std::vector<bpf_link *> probeGoroutines(uint32_t tgid, bpf_program *program);

}  // namespace aftertrace
