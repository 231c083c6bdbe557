// SPDX-License-Identifier: Apache-2.0
// Probes in files as single processes map them: other processes that map the same files have no breakpoint, so
// they pay nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <future>
#include <unordered_map>
#include <vector>

#include "elf_image.h"

struct bpf_link;
struct bpf_program;

namespace aftertrace {

struct Mapping;

// The file of a mapping by its descriptor: no path can be swapped meanwhile, and mount namespaces do not matter.
class MappedFile {
 public:
  explicit MappedFile(const Mapping &mapping);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  int descriptor() const { return descriptor_; }
  const ElfImage &image() const { return image_; }

  // Has the program run there in this process alone, and adds the link unless the kernel refuses.
  void probe(bpf_program *program, uint64_t offset, uint64_t cookie, std::vector<bpf_link *> &links) const;

 private:
  pid_t pid_;
  int descriptor_;
  ElfImage image_;
};

// What is attached, by process. Not for several threads at once.
class ProcessProbes {
 public:
  ProcessProbes() = default;
  ~ProcessProbes();
  ProcessProbes(const ProcessProbes &) = delete;
  ProcessProbes &operator=(const ProcessProbes &) = delete;

  // Takes the probes of a process off, without waiting for it: that takes the kernel many milliseconds.
  void remove(uint32_t tgid);
  // Takes all off, and returns when none is left.
  void clear();

 protected:
  bool has(uint32_t tgid) const { return probes_.count(tgid) != 0; }
  void put(uint32_t tgid, std::vector<bpf_link *> links) { probes_.emplace(tgid, std::move(links)); }

 private:
  void takeOff(std::vector<bpf_link *> links);

  std::unordered_map<uint32_t, std::vector<bpf_link *>> probes_;
  std::vector<std::future<void>> leaving_;
};

}  // namespace aftertrace
