// SPDX-License-Identifier: Apache-2.0
// How the drain thread sleeps: until its time is up, or the ring has filled so far that the kernel
// programs wake it, or it is told to end.
#pragma once

#include <atomic>
#include <cstdint>

namespace aftertrace {

class RingSleep {
 public:
  // `sleeping` is shared with the kernel programs: they wake whom it announces, and clear it.
  // Throws std::system_error.
  RingSleep(int ringDescriptor, volatile uint32_t &sleeping);
  ~RingSleep();
  RingSleep(const RingSleep &) = delete;
  RingSleep &operator=(const RingSleep &) = delete;

  // Returns at once where enough() holds; false when the sleep was ended for good.
  template <typename Enough>
  bool wait(Enough &&enough);

  // Sleeps however full the ring is. False when the sleep was ended for good.
  bool pause(int milliseconds);

  // From any thread: this wait and all later ones return false.
  void end();

 private:
  void announce();
  // True when the time is up or the ring called.
  bool poll(int milliseconds);

  volatile uint32_t &sleeping_;
  std::atomic<bool> ended_{false};
  int epoll_ = -1;
  int bell_ = -1;
};

template <typename Enough>
bool RingSleep::wait(Enough &&enough) {
  // What a dying recorder loses: this, and what JavaScript has not written yet. Together below a second.
  constexpr int kLongest = 900;
  announce();
  // What came before the announcement woke nobody.
  return poll(enough() ? 0 : kLongest);
}

}  // namespace aftertrace
