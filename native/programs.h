// SPDX-License-Identifier: Apache-2.0
// The kernel programs as libbpf holds them: of the two objects that bpf/ is built to, the one for this kernel.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>

namespace aftertrace {

// What tells the programs of sends and receives.
enum class Capture {
  socket,   // tracepoints in the kernel's socket calls, since Linux 6.3
  syscall,  // system calls that return, since Linux 5.15: every one of the host pays for it
};

// The better one of those that this kernel has.
Capture bestCapture();

// Variables of the programs. Those that are constant once loaded come first.
struct ProgramVariables {
  volatile uint32_t *snaplen;
  volatile bool *filter_ports, *filter_tgids, *filter_names, *filter_cgroups;
  volatile uint64_t *wanted_ports;  // a bit per port
  volatile uint64_t *wake_bytes;
  volatile uint32_t *hint_kinds;
  volatile bool *tls_enabled;

  volatile uint32_t *reader_sleeping;
  volatile uint64_t *sweep_age, *sweep_quiet_age;
  volatile uint32_t *search_number;
  volatile uint32_t *silent_held;
  volatile uint32_t *hints_paused, *hints_generation;
  volatile uint32_t *head_limit, *sample_limit;
};

class Programs {
 public:
  virtual ~Programs() = default;

  // Returns an errno, 0 if all went well.
  int load() { return -bpf_object__load_skeleton(skeleton()); }
  int attach() { return -bpf_object__attach_skeleton(skeleton()); }
  void detach() { bpf_object__detach_skeleton(skeleton()); }

  bpf_object *object() const { return *skeleton()->obj; }
  // By their names in bpf/. Throws std::logic_error where there is none of that name.
  bpf_program *program(const char *name) const;
  bpf_map *map(const char *name) const;
  // Holds from now until load(), and again after it.
  virtual ProgramVariables variables() const = 0;

 protected:
  virtual bpf_object_skeleton *skeleton() const = 0;
};

// Null with errno set where libbpf cannot open the object.
std::unique_ptr<Programs> openPrograms(Capture capture);

}  // namespace aftertrace
