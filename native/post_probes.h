// SPDX-License-Identifier: Apache-2.0
// Probes where Node puts a message that one thread posts to another into a queue, and where the other takes it:
// bpf/lib/posts.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "mapped_file.h"

namespace aftertrace {

// File offsets of the two places, or why there are none.
struct PostPlan {
  uint64_t posted = 0;  // the second argument is the address of a pointer to the message
  uint64_t taken = 0;   // the first argument is the message
  std::string refused;
};

// Where they are in a program or library with Node in it, 16 to 24 at least. Refused where functions have
// other names, were inlined, or begin otherwise than with instructions that the kernel emulates.
PostPlan planPostProbes(const ElfImage &image);

struct PostPrograms {
  bpf_program *posted = nullptr;
  bpf_program *taken = nullptr;
};

// What is known of the programs of processes whose messages are followed: files are read once.
class PostPlans {
 public:
  // Why a process cannot be probed; empty where it can.
  std::string refusal(uint32_t tgid);
  // Probes a process; nothing where it cannot be.
  std::vector<bpf_link *> probe(uint32_t tgid, const PostPrograms &programs);

 private:
  // Device, inode, size and time of change: the same file.
  using FileKey = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t>;

  const PostPlan &planOf(const MappedFile &file);
  // The plan of the program or of its library, and what does not let it be; visit() is told of the first that can be.
  template <typename Visit>
  std::string search(uint32_t tgid, Visit visit);

  std::map<FileKey, PostPlan> plans_;
};

}  // namespace aftertrace
