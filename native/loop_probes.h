// SPDX-License-Identifier: Apache-2.0
// Probes where event loops wait for the network, in the C library, and where asyncio makes tasks.
#pragma once

#include <cstdint>
#include <vector>

#include "process_probes.h"

struct bpf_map;

namespace aftertrace {

// File offsets of instructions that every wait of epoll_wait() and epoll_pwait() passes and that the kernel
// emulates (arch/x86/kernel/uprobes.c); of a function that begins otherwise, none. Empty where the image
// defines neither.
std::vector<uint64_t> planLoopProbes(const ElfImage &image);

// What is attached, and where a process's layout is put for it.
struct LoopPrograms {
  bpf_program *turn = nullptr;
  bpf_program *task = nullptr;
  bpf_map *layouts = nullptr;
};

// Probes the loop of a process. What fails leaves the process without turns or without tasks, no more.
Links probeLoop(uint32_t tgid, const LoopPrograms &programs);

}  // namespace aftertrace
