// SPDX-License-Identifier: Apache-2.0
// Probes in chosen processes alone. Other processes that map the same files have no breakpoint, so they pay nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <unordered_map>
#include <vector>

#include "elf_image.h"
#include "process_maps.h"

struct bpf_link;
struct bpf_program;

namespace aftertrace {

using Links = std::vector<bpf_link *>;

// The file of a mapping by its descriptor: no path can be swapped meanwhile, and mount namespaces do not matter.
class MappedFile {
 public:
  explicit MappedFile(const Mapping &mapping);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  const ElfImage &image() const { return image_; }
  // Adds a probe of the process at this offset in the file; nothing where the kernel refuses.
  void probe(bpf_program *program, uint64_t offset, uint64_t cookie, Links &links) const;

 private:
  pid_t pid_;
  int descriptor_;
  ElfImage image_;
};

// The processes that are probed. Not for several threads at once.
class ProcessProbes {
 public:
  ProcessProbes() = default;
  ~ProcessProbes();
  ProcessProbes(const ProcessProbes &) = delete;
  ProcessProbes &operator=(const ProcessProbes &) = delete;

  // Probes a process, unless it is probed already: probe() does it and returns what it set, if only nothing.
  void add(uint32_t tgid, const std::function<Links()> &probe);
  // Takes the probes of a process off, without waiting for it: that takes the kernel many milliseconds.
  void remove(uint32_t tgid);
  // Takes all off, and returns when none is left.
  void clear();

 private:
  void takeOff(Links links);

  std::unordered_map<uint32_t, Links> probes_;
  std::vector<std::future<void>> leaving_;
};

}  // namespace aftertrace
