// SPDX-License-Identifier: Apache-2.0
// A file that a process executes code of, and probes in it for that process alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
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
  // Adds a probe to `links`, if the kernel sets it.
  void probe(bpf_program *program, uint64_t offset, uint64_t cookie, std::vector<bpf_link *> &links) const;

 private:
  pid_t pid_;
  int descriptor_;
  ElfImage image_;
};

}  // namespace aftertrace
