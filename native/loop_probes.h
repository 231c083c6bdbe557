// SPDX-License-Identifier: Apache-2.0
// Probes where event loops wait for the network, in the C library, and where asyncio makes tasks; but in chosen
// processes alone.
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

// The processes whose loops are followed.
class LoopProbes : public ProcessProbes {
 public:
  // Probes a process, unless it is probed already. Where that fails the process has no turns or no tasks, no more.
  void add(uint32_t tgid, const LoopPrograms &programs);
};

}  // namespace aftertrace
