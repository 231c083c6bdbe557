// SPDX-License-Identifier: Apache-2.0
// Reads a BPF ring buffer map in place. One reader only; not thread safe, but used() is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aftertrace {

class RingReader {
 public:
  // Maps the ring behind the map descriptor; `bytes` is its max_entries. Throws std::system_error.
  RingReader(int mapDescriptor, std::size_t bytes);
  ~RingReader();
  RingReader(const RingReader &) = delete;
  RingReader &operator=(const RingReader &) = delete;

  // Hands every record that is complete now to visit(const void *data, size_t size), oldest first,
  // and gives its room back; one for which that returns false stays, and ends the call. Records added
  // meanwhile wait for the next call, so that the caller gets control back however busy the host
  // is. Returns how many were read.
  template <typename Visit>
  std::size_t drain(Visit &&visit);

  // Bytes written and not yet read.
  std::size_t used() const;

 private:
  struct Record {
    const void *data;
    std::size_t size;
    bool discarded;
  };

  // The record at `position`; false when it is still being written.
  bool peek(unsigned long position, Record &record);
  // A copy of the record that goes on at the start of the ring.
  const void *unwrap(const char *data, std::size_t from, std::size_t size);
  unsigned long produced() const;
  unsigned long consumed() const;
  void release(unsigned long position);
  static std::size_t roundUp(std::size_t size);

  std::size_t bytes_;
  std::size_t page_;
  void *consumerPage_ = nullptr;
  void *producerPages_ = nullptr;
  std::vector<char> wrapped_;
};

template <typename Visit>
std::size_t RingReader::drain(Visit &&visit) {
  const unsigned long end = produced();
  unsigned long position = consumed();
  std::size_t count = 0;
  Record record;
  while (position < end && peek(position, record)) {
    if (!record.discarded) {
      if (!visit(record.data, record.size)) break;
      count++;
    }
    position += roundUp(record.size);
    release(position);
  }
  return count;
}

}  // namespace aftertrace
