// SPDX-License-Identifier: Apache-2.0
// Probes where event loops wait for the network, in the C library, where asyncio makes tasks, and where Python's pools
// are given some.
#pragma once

#include <cstdint>
#include <vector>

struct bpf_link;
struct bpf_map;
struct bpf_program;

namespace aftertrace {

class ElfImage;

// File offsets of instructions that every wait of epoll_wait() and epoll_pwait() passes and that the kernel
// emulates (arch/x86/kernel/uprobes.c); of a function that begins otherwise, none. Empty where the image
// defines neither.
std::vector<uint64_t> planLoopProbes(const ElfImage &image);

// File offsets at which an object has just been given to SimpleQueue.put() of Python's library _queue, with its
// arguments still in place, and which are cheap to probe. Empty in other images.
std::vector<uint64_t> planPutProbes(const ElfImage &image);

// What is attached, and where a process's layout is put for it.
struct LoopPrograms {
  bpf_program *turn = nullptr;
  bpf_program *task = nullptr;
  bpf_program *put = nullptr;
  bpf_map *layouts = nullptr;
};

// Probes a process for these kinds of hints (HINT_LOOP, HINT_EXECUTOR). Where that fails the process lacks the hint,
// no more.
std::vector<bpf_link *> probeLoop(uint32_t tgid, uint32_t kinds, const LoopPrograms &programs);

}  // namespace aftertrace
