// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "aftertrace.skel.h"
#include "probe.h"

namespace aftertrace {
namespace {

std::size_t ringSize(std::size_t wanted) {
  std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  while (size < wanted && size < (std::size_t{1} << 30)) size *= 2;
  return size;
}

// Ages at which held-back totals are told by the sweep, ns: TOTAL_AGE, TOTAL_QUIET_AGE in bpf/lib/total.h.
constexpr uint64_t kTotalAge = 1'000'000'000;
constexpr uint64_t kQuietTotalAge = 10 * kTotalAge;

// Visits everything the iterator offers. Returns an errno, 0 if all went well.
int runIterator(const bpf_link *link) {
  const int descriptor = bpf_iter_create(bpf_link__fd(link));
  if (descriptor < 0) return -descriptor;
  // The program writes to the ring, not to this file: reading only makes it run.
  char nothing[64];
  ssize_t got;
  do {
    got = read(descriptor, nothing, sizeof nothing);
  } while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
  close(descriptor);
  return 0;
}

void runProgram(const bpf_program *program) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  bpf_prog_test_run_opts(bpf_program__fd(program), &options);
}

template <typename Key>
void allow(bpf_map *map, const Key &key) {
  const uint8_t yes = 1;
  const int result = bpf_map__update_elem(map, &key, sizeof key, &yes, sizeof yes, BPF_ANY);
  if (result < 0) {
    throw CaptureError("USAGE", std::string("the filter has too many values (") +
                                    std::strerror(-result) + ")",
                       "Give at most 1024 values per filter.");
  }
}

}  // namespace

void Recorder::Destroy::operator()(aftertrace_bpf *skeleton) const {
  aftertrace_bpf::destroy(skeleton);
}

Recorder::Recorder(const CaptureOptions &options) {
  KernelLog log;
  skeleton_.reset(aftertrace_bpf::open());
  if (!skeleton_) throw explainFailure(errno, log);
  configure(options);
  const int result = aftertrace_bpf::load(skeleton_.get());
  if (result != 0) throw explainFailure(-result, log);
  fillFilters(options);
  identify();
}

Recorder::~Recorder() {
  detach();
  bpf_link__destroy(files_);
}

void Recorder::configure(const CaptureOptions &options) {
  auto &knobs = *skeleton_->rodata;
  knobs.snaplen = std::min<uint32_t>(options.snaplen, EVENT_PAYLOAD_MAX);
  knobs.filter_ports = !options.ports.empty();
  knobs.filter_tgids = !options.pids.empty();
  knobs.filter_names = !options.names.empty();
  knobs.filter_cgroups = !options.cgroups.empty();
  auto *ports = const_cast<uint64_t *>(
      reinterpret_cast<const volatile uint64_t *>(knobs.wanted_ports));
  for (const uint16_t port : options.ports) ports[port / 64] |= uint64_t{1} << (port % 64);

  ringBytes_ = ringSize(options.ringBytes);
  knobs.wake_bytes = wakeBytes();
  bpf_map__set_max_entries(skeleton_->maps.ring, static_cast<uint32_t>(ringBytes_));
  // These are run by hand.
  for (bpf_program *program : {skeleton_->progs.snapshot, skeleton_->progs.identify,
                               skeleton_->progs.sweep_silent, skeleton_->progs.sweep_files,
                               skeleton_->progs.forget_closed}) {
    bpf_program__set_autoattach(program, false);
  }
}

void Recorder::fillFilters(const CaptureOptions &options) {
  for (const uint32_t pid : options.pids) allow(skeleton_->maps.wanted_tgids, pid);
  for (const uint64_t cgroup : options.cgroups) allow(skeleton_->maps.wanted_cgroups, cgroup);
  for (const std::string &name : options.names) {
    struct {
      char text[EVENT_NAME_LENGTH] = {};
    } key;
    // The kernel keeps names cut to this length, so a longer one is compared by its beginning.
    name.copy(key.text, sizeof key.text - 1);
    allow(skeleton_->maps.wanted_names, key);
  }
}

void Recorder::identify() {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  KernelLog log;
  const int result =
      bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.identify), &options);
  if (result != 0) throw explainFailure(-result, log);
}

void Recorder::attach() {
  KernelLog log;
  attached_ = true;
  const int result = aftertrace_bpf::attach(skeleton_.get());
  if (result != 0) {
    detach();
    throw explainFailure(-result, log);
  }
  files_ = bpf_program__attach_iter(skeleton_->progs.sweep_files, nullptr);
  if (files_ == nullptr) {
    const int error = errno;
    detach();
    throw explainFailure(error, log);
  }
  runSnapshot();
}

void Recorder::runSnapshot() {
  KernelLog log;
  bpf_link *link = bpf_program__attach_iter(skeleton_->progs.snapshot, nullptr);
  if (link == nullptr) throw explainFailure(errno, log);
  const int result = runIterator(link);
  bpf_link__destroy(link);
  if (result != 0) throw explainFailure(result, log);
}

void Recorder::detach() {
  if (!attached_) return;
  attached_ = false;
  aftertrace_bpf::detach(skeleton_.get());
}

void Recorder::sweepSilent() {
  setSweepAges(kTotalAge, kQuietTotalAge);
  runProgram(skeleton_->progs.sweep_silent);
}

void Recorder::sweepFiles() {
  setSweepAges(kTotalAge, kQuietTotalAge);
  skeleton_->bss->search_number++;
  // Without the whole search nothing counts as closed.
  if (runIterator(files_) == 0) runProgram(skeleton_->progs.forget_closed);
}

void Recorder::sweepAll() {
  setSweepAges(0, 0);
  runProgram(skeleton_->progs.sweep_silent);
  runIterator(files_);
}

void Recorder::setSweepAges(uint64_t age, uint64_t quietAge) {
  skeleton_->bss->sweep_age = age;
  skeleton_->bss->sweep_quiet_age = quietAge;
}

void Recorder::quieten(uint64_t connection) {
  const uint8_t yes = 1;
  bpf_map__update_elem(skeleton_->maps.quiet_connections, &connection, sizeof connection, &yes,
                       sizeof yes, BPF_ANY);
}

int Recorder::ringDescriptor() const { return bpf_map__fd(skeleton_->maps.ring); }

volatile uint32_t &Recorder::sleeping() const { return skeleton_->bss->reader_sleeping; }

LossCounts Recorder::losses() const {
  LossCounts counts;
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return counts;
  std::vector<uint64_t> values(static_cast<std::size_t>(processors));
  for (uint32_t cause = 0; cause < LOSS_CAUSES; cause++) {
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.losses), &cause, values.data()) != 0) continue;
    for (const uint64_t value : values) counts.byCause[cause] += value;
  }
  bpf_program *program;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_prog_info info = {};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) {
      counts.recursion += info.recursion_misses;
    }
  }
  return counts;
}

}  // namespace aftertrace
