// SPDX-License-Identifier: Apache-2.0
// New code mappings of all processes as they happen, from perf_event_open(2): one small record for each
// mmap() of code, nothing for anything else.
#pragma once

#include <functional>
#include <vector>

#include "process_maps.h"

namespace aftertrace {

class MappingEvents {
 public:
  // Throws std::system_error where the kernel refuses.
  MappingEvents();
  ~MappingEvents();
  MappingEvents(const MappingEvents &) = delete;
  MappingEvents &operator=(const MappingEvents &) = delete;

  // To poll(2) for: readable when half of the room is used.
  const std::vector<int> &descriptors() const { return descriptors_; }

  // Reads what happened since the last call. Returns false where the kernel had to drop some.
  bool read(const std::function<void(const Mapping &)> &visit);

 private:
  bool readOne(void *ring, const std::function<void(const Mapping &)> &visit);
  void closeAll();

  std::size_t page_;
  std::vector<int> descriptors_;
  std::vector<void *> rings_;
};

}  // namespace aftertrace
