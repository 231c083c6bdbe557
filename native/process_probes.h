// SPDX-License-Identifier: Apache-2.0
// Probes that are set for chosen processes alone. Other processes that map the same files have no breakpoint, so
// they pay nothing.
#pragma once

#include <cstdint>
#include <future>
#include <unordered_map>
#include <vector>

struct bpf_link;

namespace aftertrace {

// Not for several threads at once.
class ProcessProbes {
 public:
  ProcessProbes() = default;
  ~ProcessProbes();
  ProcessProbes(const ProcessProbes &) = delete;
  ProcessProbes &operator=(const ProcessProbes &) = delete;

  bool has(uint32_t tgid) const { return probes_.count(tgid) != 0; }
  // Takes over the probes of a process that has none; there may be none of them.
  void add(uint32_t tgid, std::vector<bpf_link *> links);
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
