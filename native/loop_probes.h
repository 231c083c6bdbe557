// SPDX-License-Identifier: Apache-2.0
// Probes where event loops wait for the network, in the C library, and where asyncio makes tasks; but in chosen
// processes alone. Other processes that map the same files have no breakpoint, so they pay nothing.
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

// What is attached, and where a process's layout is put for it.
struct LoopPrograms {
  bpf_program *turn = nullptr;
  bpf_program *task = nullptr;
  bpf_map *layouts = nullptr;
};

// The processes whose loops are followed. Not for several threads at once.
class LoopProbes {
 public:
  LoopProbes() = default;
  ~LoopProbes();
  LoopProbes(const LoopProbes &) = delete;
  LoopProbes &operator=(const LoopProbes &) = delete;

  // Probes a process, unless it is probed already. Where that fails the process has no turns or no tasks, no more.
  void add(uint32_t tgid, const LoopPrograms &programs);
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
