// SPDX-License-Identifier: Apache-2.0
#include "ring_sleep.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace aftertrace {
namespace {

bool watch(int epoll, int descriptor, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

}  // namespace

RingSleep::RingSleep(int ringDescriptor, volatile uint32_t &sleeping) : sleeping_(sleeping) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // By edges: a ring that holds anything is always readable, but it calls only when it fills up.
  if (epoll_ < 0 || bell_ < 0 || !watch(epoll_, ringDescriptor, EPOLLIN | EPOLLET) ||
      !watch(epoll_, bell_, EPOLLIN)) {
    const int error = errno;
    close(epoll_);
    close(bell_);
    throw std::system_error(error, std::generic_category(), "waiting for the ring buffer");
  }
}

RingSleep::~RingSleep() {
  close(epoll_);
  close(bell_);
}

void RingSleep::announce() {
  sleeping_ = 1;
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool RingSleep::poll(int milliseconds) {
  epoll_event event;
  // Interrupted or failed, it is as if the time were up.
  epoll_wait(epoll_, &event, 1, milliseconds);
  sleeping_ = 0;
  return !ended_.load();
}

bool RingSleep::pause(int milliseconds) { return poll(milliseconds); }

void RingSleep::end() {
  ended_.store(true);
  const uint64_t one = 1;
  // A full counter rings as well.
  if (write(bell_, &one, sizeof one) < 0) return;
}

}  // namespace aftertrace
