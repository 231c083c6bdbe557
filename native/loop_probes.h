// SPDX-License-Identifier: Apache-2.0
// Probes where event loops wait for the network, in the C library, where asyncio makes tasks, and where Python's pools
// are given some; but in chosen processes alone. Other processes that map the same files have no breakpoint, so they
// pay nothing.
#pragma once

#include <cstdint>
#include <future>
#include <unordered_map>
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

// The processes whose loops and pools are followed. Not for several threads at once.
class LoopProbes {
 public:
  LoopProbes() = default;
  ~LoopProbes();
  LoopProbes(const LoopProbes &) = delete;
  LoopProbes &operator=(const LoopProbes &) = delete;

  // Probes a process for these kinds of hints (HINT_LOOP, HINT_EXECUTOR), unless it is probed already. Where that
  // fails the process lacks the hint, no more.
  void add(uint32_t tgid, uint32_t kinds, const LoopPrograms &programs);
  // Takes the probes of a process off, without waiting for it: that takes the kernel many milliseconds.
  void remove(uint32_t tgid);
  // Takes all off, and returns when none is left.
  void clear();

 private:
  void takeOff(std::vector<bpf_link *> links);

  std::unordered_map<uint32_t, std::vector<bpf_link *>> probes_;
  std::vector<std::future<void>> leaving_;
};

}  // namespace aftertrace
