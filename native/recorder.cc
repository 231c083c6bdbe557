// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

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

// One entry of a per-CPU array, summed; `values` has room for one value per possible CPU.
uint64_t sumOf(int map, uint32_t index, std::vector<uint64_t> &values) {
  if (bpf_map_lookup_elem(map, &index, values.data()) != 0) return 0;
  return std::accumulate(values.begin(), values.end(), uint64_t{0});
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
  knobs.hint_kinds = options.hints;
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
  const std::pair<uint32_t, bpf_program *> onDemand[] = {{HINT_WAKES, skeleton_->progs.on_waking},
                                                         {HINT_LOOP, skeleton_->progs.on_loop_turn}};
  for (const auto &[kind, program] : onDemand) {
    bpf_program__set_autoattach(program, false);
    bpf_program__set_autoload(program, (options.hints & kind) != 0);
  }
  // What these would remember takes memory even if it is never used.
  if ((options.hints & HINT_WAKES) == 0) bpf_map__set_max_entries(skeleton_->maps.wake_words, 1);
  if ((options.hints & HINT_GO) == 0) {
    bpf_map__set_max_entries(skeleton_->maps.go_layouts, 1);
    bpf_map__set_max_entries(skeleton_->maps.go_writers, 1);
  }
  configureTls(options.tls);
}

// These are attached where libraries are found.
void Recorder::configureTls(bool wanted) {
  tlsWanted_ = wanted;
  skeleton_->rodata->tls_enabled = wanted;
  for (bpf_program *program : {skeleton_->progs.on_tls_call, skeleton_->progs.on_tls_return,
                               skeleton_->progs.on_tls_forget}) {
    bpf_program__set_autoload(program, wanted);
    bpf_program__set_autoattach(program, false);
  }
  if (wanted) return;
  // What they would remember takes memory even if it is never used.
  for (bpf_map *map : {skeleton_->maps.tls_sessions, skeleton_->maps.tls_owners,
                       skeleton_->maps.tls_waiting_records}) {
    bpf_map__set_max_entries(map, 1);
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
  {
    const std::lock_guard<std::mutex> lock(hints_);
    attachOnDemand();
  }
  runSnapshot();
  if (tlsWanted_) {
    tls_ = std::make_unique<TlsWatcher>(TlsPrograms{skeleton_->progs.on_tls_call,
                                                    skeleton_->progs.on_tls_return,
                                                    skeleton_->progs.on_tls_forget});
  }
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
  {
    const std::lock_guard<std::mutex> lock(hints_);
    attached_ = false;
    attachOnDemand();
  }
  aftertrace_bpf::detach(skeleton_.get());
  if (tls_) tls_->stop();
  // Programs that were running have ended when this returns (it waits for RCU): what they counted as
  // produced is in the ring.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
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

void Recorder::setHints(uint32_t tgid, uint32_t kinds, go_layout layout) {
  const std::lock_guard<std::mutex> lock(hints_);
  kinds &= skeleton_->rodata->hint_kinds;
  if ((kinds & HINT_GO) != 0) {
    layout.life = ++lives_;
    bpf_map__update_elem(skeleton_->maps.go_layouts, &tgid, sizeof tgid, &layout, sizeof layout, BPF_ANY);
  }
  if (kinds == 0) {
    bpf_map__delete_elem(skeleton_->maps.hinted, &tgid, sizeof tgid, 0);
  } else {
    const hinted_process process = {kinds, 0};
    bpf_map__update_elem(skeleton_->maps.hinted, &tgid, sizeof tgid, &process, sizeof process, BPF_ANY);
  }
  __atomic_fetch_add(&skeleton_->bss->hints_generation, 1, __ATOMIC_RELEASE);
  const auto note = [&](std::unordered_set<uint32_t> &processes, uint32_t kind) {
    if ((kinds & kind) != 0) {
      processes.insert(tgid);
    } else {
      processes.erase(tgid);
    }
  };
  note(waking_, HINT_WAKES);
  note(turning_, HINT_LOOP);
  // Another program may run there now, with another C library.
  loops_.remove(tgid);
  attachOnDemand();
}

void Recorder::pauseHints(bool paused) {
  const std::lock_guard<std::mutex> lock(hints_);
  hintsPaused_ = paused;
  skeleton_->bss->hints_paused = paused;
  attachOnDemand();
}

// Attaches or detaches as things are. A hint that cannot be had is no reason to stop recording.
void Recorder::attachOnDemand() {
  const bool active = attached_ && !hintsPaused_;
  const bool wakes = active && !waking_.empty();
  if (wakes && wakes_ == nullptr) {
    wakes_ = bpf_program__attach(skeleton_->progs.on_waking);
  } else if (!wakes && wakes_ != nullptr) {
    bpf_link__destroy(std::exchange(wakes_, nullptr));
  }
  if (!active) return loops_.clear();
  for (const uint32_t tgid : turning_) loops_.add(tgid, skeleton_->progs.on_loop_turn);
}

int Recorder::ringDescriptor() const { return bpf_map__fd(skeleton_->maps.ring); }

volatile uint32_t &Recorder::sleeping() const { return skeleton_->bss->reader_sleeping; }

void Recorder::throttle(const Throttle &throttle) {
  auto &knobs = *skeleton_->data;
  knobs.head_limit = throttle.headLimit;
  knobs.sample_limit = throttle.sampleLimit;
}

void Recorder::sumUnreadable(LossCounts &counts, std::vector<uint64_t> &values) const {
  if (counts.byCause[LOSS_PAYLOAD_UNREADABLE] == 0) return;
  for (uint32_t call = 0; call <= kNoCall; call++) {
    const uint64_t sum = sumOf(bpf_map__fd(skeleton_->maps.unreadable_calls), call, values);
    if (sum > 0) counts.unreadable.emplace_back(call, sum);
  }
}

LossCounts Recorder::losses() const {
  LossCounts counts;
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return counts;
  std::vector<uint64_t> values(static_cast<std::size_t>(processors));
  for (uint32_t cause = 0; cause < LOSS_CAUSES; cause++) {
    counts.byCause[cause] = sumOf(bpf_map__fd(skeleton_->maps.losses), cause, values);
  }
  counts.produced = sumOf(bpf_map__fd(skeleton_->maps.produced), 0, values);
  sumUnreadable(counts, values);
  bpf_program *program;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_prog_info info = {};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) {
      counts.recursion += info.recursion_misses;
      counts.runTime += info.run_time_ns;
    }
  }
  return counts;
}

}  // namespace aftertrace
