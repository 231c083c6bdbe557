// SPDX-License-Identifier: Apache-2.0
#include "mapping_events.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace aftertrace {
namespace {

constexpr std::size_t kPages = 16;  // per processor; a power of two

// struct perf_event_header and what follows it in PERF_RECORD_MMAP2; see perf_event_open(2).
struct MappingRecord {
  perf_event_header header;
  uint32_t pid, tid;
  uint64_t address, length, offset;
  uint32_t major, minor;
  uint64_t inode, generation;
  uint32_t protection, flags;
};

int openOn(int processor, std::size_t bytes) {
  perf_event_attr attributes = {};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.mmap = 1;
  attributes.mmap2 = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.watermark = 1;
  attributes.wakeup_watermark = static_cast<uint32_t>(bytes / 2);
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, -1, processor, -1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

MappingEvents::MappingEvents() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  const long processors = sysconf(_SC_NPROCESSORS_CONF);
  for (int processor = 0; processor < processors; processor++) {
    const int descriptor = openOn(processor, kPages * page_);
    if (descriptor < 0 && errno == ENODEV) continue;  // not in use
    void *ring = MAP_FAILED;
    if (descriptor >= 0) {
      descriptors_.push_back(descriptor);
      ring = mmap(nullptr, (kPages + 1) * page_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    }
    if (ring == MAP_FAILED) {
      const int error = errno;
      closeAll();
      throw std::system_error(error, std::generic_category(), "perf_event_open");
    }
    rings_.push_back(ring);
  }
}

MappingEvents::~MappingEvents() { closeAll(); }

void MappingEvents::closeAll() {
  for (void *ring : rings_) munmap(ring, (kPages + 1) * page_);
  for (const int descriptor : descriptors_) close(descriptor);
  rings_.clear();
  descriptors_.clear();
}

bool MappingEvents::read(const std::function<void(const Mapping &)> &visit) {
  bool complete = true;
  for (void *ring : rings_) complete = readOne(ring, visit) && complete;
  return complete;
}

bool MappingEvents::readOne(void *ring, const std::function<void(const Mapping &)> &visit) {
  auto &control = *static_cast<perf_event_mmap_page *>(ring);
  const char *data = static_cast<const char *>(ring) + page_;
  const std::size_t size = kPages * page_;
  const uint64_t head = __atomic_load_n(&control.data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = control.data_tail;
  bool complete = true;
  std::vector<char> record;
  const auto copy = [&](uint64_t from, std::size_t bytes) {
    record.resize(bytes);
    const std::size_t start = from % size;
    const std::size_t first = std::min(bytes, size - start);
    std::memcpy(record.data(), data + start, first);
    std::memcpy(record.data() + first, data, bytes - first);
  };
  while (tail < head) {
    copy(tail, sizeof(perf_event_header));
    perf_event_header header;
    std::memcpy(&header, record.data(), sizeof header);
    if (header.size < sizeof header || header.size > head - tail) break;
    copy(tail, header.size);
    if (header.type == PERF_RECORD_LOST) complete = false;
    if (header.type == PERF_RECORD_MMAP2 && header.size > sizeof(MappingRecord)) {
      MappingRecord found;
      std::memcpy(&found, record.data(), sizeof found);
      const char *path = record.data() + sizeof found;
      Mapping mapping;
      mapping.pid = static_cast<pid_t>(found.pid);
      mapping.from = found.address;
      mapping.to = found.address + found.length;
      mapping.file = {makedev(found.major, found.minor), found.inode};
      mapping.path.assign(path, strnlen(path, record.size() - sizeof found));
      if (found.inode != 0) visit(mapping);
    }
    tail += header.size;
  }
  __atomic_store_n(&control.data_tail, tail < head ? head : tail, __ATOMIC_RELEASE);
  return complete;
}

}  // namespace aftertrace
