// SPDX-License-Identifier: Apache-2.0
#include "programs.h"

#include <stdexcept>
#include <string>

#include "aftertrace.skel.h"
#include "aftertrace_syscall.skel.h"
#include "kernel_types.h"

namespace aftertrace {
namespace {

// Pointers to constants are for reading once loaded; before, libbpf's copy is there to be changed.
template <typename T>
volatile T *writable(const T &value) {
  return const_cast<T *>(&value);
}

template <typename Skeleton>
class Opened final : public Programs {
 public:
  explicit Opened(Skeleton *opened) : opened_(opened) {}
  ~Opened() override { Skeleton::destroy(opened_); }
  Opened(const Opened &) = delete;
  Opened &operator=(const Opened &) = delete;

  ProgramVariables variables() const override {
    const auto &constants = *opened_->rodata;
    auto &zero = *opened_->bss;
    auto &set = *opened_->data;
    ProgramVariables all = {};
    all.snaplen = writable(constants.snaplen);
    all.filter_ports = writable(constants.filter_ports);
    all.filter_tgids = writable(constants.filter_tgids);
    all.filter_names = writable(constants.filter_names);
    all.filter_cgroups = writable(constants.filter_cgroups);
    all.wanted_ports = reinterpret_cast<volatile uint64_t *>(writable(constants.wanted_ports[0]));
    all.wake_bytes = reinterpret_cast<volatile uint64_t *>(writable(constants.wake_bytes));
    all.hint_kinds = writable(constants.hint_kinds);
    all.tls_enabled = writable(constants.tls_enabled);
    all.reader_sleeping = &set.reader_sleeping;
    all.silent_held = &set.silent_held;
    all.sweep_age = reinterpret_cast<volatile uint64_t *>(&zero.sweep_age);
    all.sweep_quiet_age = reinterpret_cast<volatile uint64_t *>(&zero.sweep_quiet_age);
    all.search_number = &zero.search_number;
    all.hints_paused = &set.hints_paused;
    all.hints_generation = &set.hints_generation;
    all.head_limit = &set.head_limit;
    all.sample_limit = &set.sample_limit;
    return all;
  }

 protected:
  bpf_object_skeleton *skeleton() const override { return opened_->skeleton; }

 private:
  Skeleton *opened_;
};

template <typename Skeleton>
std::unique_ptr<Programs> open() {
  Skeleton *opened = Skeleton::open();
  if (opened == nullptr) return nullptr;
  return std::make_unique<Opened<Skeleton>>(opened);
}

}  // namespace

bpf_program *Programs::program(const char *name) const {
  bpf_program *found = bpf_object__find_program_by_name(object(), name);
  if (found == nullptr) throw std::logic_error(std::string("no kernel program ") + name);
  return found;
}

bpf_map *Programs::map(const char *name) const {
  bpf_map *found = bpf_object__find_map_by_name(object(), name);
  if (found == nullptr) throw std::logic_error(std::string("no map ") + name);
  return found;
}

Capture bestCapture() {
  const bool known = missingTracepoint({"sock_send_length", "sock_recv_length"}).empty();
  return known ? Capture::socket : Capture::syscall;
}

std::unique_ptr<Programs> openPrograms(Capture capture) {
  if (capture == Capture::syscall) return open<aftertrace_syscall_bpf>();
  return open<aftertrace_bpf>();
}

}  // namespace aftertrace
