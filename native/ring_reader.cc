// SPDX-License-Identifier: Apache-2.0
#include "ring_reader.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace aftertrace {
namespace {

// Layout given by the kernel's uapi: a page with the consumer's position (ours to write), a page
// with the producer's, then the data. (The kernel would map the data twice in a row, so that no record
// wraps; that doubles the resident memory, and one record in a whole lap can as well be copied.)
unsigned long load(const void *page) {
  return __atomic_load_n(static_cast<const unsigned long *>(page), __ATOMIC_ACQUIRE);
}

}  // namespace

RingReader::RingReader(int mapDescriptor, std::size_t bytes)
    : bytes_(bytes), page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  void *consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, mapDescriptor, 0);
  if (consumer == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "mapping the ring buffer");
  }
  void *producer = mmap(nullptr, page_ + bytes_, PROT_READ, MAP_SHARED, mapDescriptor,
                        static_cast<off_t>(page_));
  if (producer == MAP_FAILED) {
    const int error = errno;
    munmap(consumer, page_);
    throw std::system_error(error, std::generic_category(), "mapping the ring buffer");
  }
  consumerPage_ = consumer;
  producerPages_ = producer;
}

RingReader::~RingReader() {
  munmap(consumerPage_, page_);
  munmap(producerPages_, page_ + bytes_);
}

bool RingReader::peek(unsigned long position, Record &record) {
  const char *data = static_cast<const char *>(producerPages_) + page_;
  const std::size_t at = position & (bytes_ - 1);
  // Headers never wrap: positions are multiples of their size.
  const uint32_t header =
      __atomic_load_n(reinterpret_cast<const uint32_t *>(data + at), __ATOMIC_ACQUIRE);
  if (header & BPF_RINGBUF_BUSY_BIT) return false;
  record.size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
  record.discarded = (header & BPF_RINGBUF_DISCARD_BIT) != 0;
  const std::size_t from = at + BPF_RINGBUF_HDR_SZ;
  record.data = data + from;
  if (from + record.size > bytes_) record.data = unwrap(data, from, record.size);
  return true;
}

const void *RingReader::unwrap(const char *data, std::size_t from, std::size_t size) {
  const std::size_t first = bytes_ - from;
  wrapped_.resize(size);
  std::memcpy(wrapped_.data(), data + from, first);
  std::memcpy(wrapped_.data() + first, data, size - first);
  return wrapped_.data();
}

unsigned long RingReader::produced() const { return load(producerPages_); }

unsigned long RingReader::consumed() const { return load(consumerPage_); }

void RingReader::release(unsigned long position) {
  __atomic_store_n(static_cast<unsigned long *>(consumerPage_), position, __ATOMIC_RELEASE);
}

std::size_t RingReader::used() const { return produced() - consumed(); }

std::size_t RingReader::roundUp(std::size_t size) { return (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8; }

}  // namespace aftertrace
