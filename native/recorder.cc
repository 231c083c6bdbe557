// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "go_probes.h"
#include "loop_probes.h"
#include "probe.h"
#include "v8_probes.h"

namespace aftertrace {
namespace {

std::size_t ringSize(std::size_t wanted) {
  std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  while (size < wanted && size < (std::size_t{1} << 30)) size *= 2;
  return size;
}

// Of the ring that tells of programs that start: the smallest there is.
std::size_t startsBytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

// Ages at which held-back totals are told by the sweep, ns: TOTAL_AGE, TOTAL_QUIET_AGE in bpf/lib/total.h.
constexpr uint64_t kTotalAge = 1'000'000'000;
constexpr uint64_t kQuietTotalAge = 10 * kTotalAge;

// Kinds of hints for which a process is probed; HINT_GO where its runtime does not keep who started a goroutine.
constexpr uint32_t kProbed = HINT_LOOP | HINT_ASYNC | HINT_POSTS | HINT_EXECUTOR;

const char *const kUnknownV8 = "its V8 keeps what runs in a place that is not known";

// A process that starts more goroutines a second pays too much for knowing which of them started which.
constexpr double kMostStarts = 10'000;

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

Recorder::Recorder(const CaptureOptions &options)
    : capture_(options.capture ? *options.capture : bestCapture()) {
  KernelLog log;
  programs_ = openPrograms(capture_);
  if (!programs_) throw explainFailure(errno, log, capture_);
  variables_ = programs_->variables();
  configure(options);
  const int error = programs_->load();
  if (error != 0) throw explainFailure(error, log, capture_);
  variables_ = programs_->variables();
  fillFilters(options);
  identify();
}

Recorder::~Recorder() {
  detach();
  bpf_link__destroy(files_);
}

void Recorder::configure(const CaptureOptions &options) {
  *variables_.snaplen = std::min<uint32_t>(options.snaplen, EVENT_PAYLOAD_MAX);
  *variables_.filter_ports = !options.ports.empty();
  *variables_.filter_tgids = !options.pids.empty();
  *variables_.filter_names = !options.names.empty();
  *variables_.filter_cgroups = !options.cgroups.empty();
  *variables_.hint_kinds = options.hints;
  for (const uint16_t port : options.ports) {
    volatile uint64_t &word = variables_.wanted_ports[port / 64];
    word = word | uint64_t{1} << (port % 64);
  }

  ringBytes_ = ringSize(options.ringBytes);
  *variables_.wake_bytes = wakeBytes();
  bpf_map__set_max_entries(programs_->map("ring"), static_cast<uint32_t>(ringBytes_));
  // These are run by hand.
  for (const char *name :
       {"snapshot", "identify", "sweep_silent", "sweep_files", "forget_closed"}) {
    bpf_program__set_autoattach(programs_->program(name), false);
  }
  const std::pair<uint32_t, bpf_program *> onDemand[] = {
      {HINT_WAKES, programs_->program("on_waking")},
      {HINT_LOOP, programs_->program("on_loop_turn")},
      {HINT_LOOP, programs_->program("on_task_made")},
      {HINT_ASYNC, programs_->program("on_collection_begins")},
      {HINT_ASYNC, programs_->program("on_collection_ends")},
      {HINT_ASYNC, programs_->program("on_wrap_reset")},
      {HINT_ASYNC, programs_->program("on_handle_connects")},
      {HINT_POSTS, programs_->program("on_posted")},
      {HINT_POSTS, programs_->program("on_taken")},
      {HINT_EXECUTOR, programs_->program("on_object_put")},
      {HINT_GO, programs_->program("on_goroutine")}};
  for (const auto &[kind, program] : onDemand) {
    bpf_program__set_autoattach(program, false);
    bpf_program__set_autoload(program, (options.hints & kind) != 0);
  }
  // What these would remember takes memory even if it is never used.
  const auto shrink = [&](std::initializer_list<const char *> maps) {
    for (const char *name : maps) bpf_map__set_max_entries(programs_->map(name), 1);
  };
  if ((options.hints & HINT_WAKES) == 0) shrink({"wake_words"});
  if ((options.hints & HINT_POSTS) == 0) shrink({"posts"});
  if ((options.hints & HINT_GO) == 0) shrink({"go_layouts", "go_writers", "go_births"});
  if ((options.hints & HINT_LOOP) == 0) shrink({"python_tasks"});
  if ((options.hints & HINT_EXECUTOR) == 0) shrink({"work_items", "python_readers"});
  if ((options.hints & (HINT_LOOP | HINT_EXECUTOR)) == 0) shrink({"python_layouts", "python_threads"});
  if ((options.hints & HINT_ASYNC) == 0) {
    shrink({"v8_layouts", "v8_threads", "async_places", "new_wraps", "given_roots"});
  }
  configureTls(options.tls);
}

// These are attached where libraries are found.
void Recorder::configureTls(bool wanted) {
  tlsWanted_ = wanted;
  bpf_map__set_max_entries(programs_->map("program_starts"), static_cast<uint32_t>(startsBytes()));
  *variables_.tls_enabled = wanted;
  for (const char *name : {"on_tls_call", "on_tls_return", "on_tls_forget"}) {
    bpf_program__set_autoload(programs_->program(name), wanted);
    bpf_program__set_autoattach(programs_->program(name), false);
  }
  if (wanted) return;
  // What they would remember takes memory even if it is never used.
  for (const char *name : {"tls_sessions", "tls_owners", "tls_waiting_records"}) {
    bpf_map__set_max_entries(programs_->map(name), 1);
  }
}

void Recorder::fillFilters(const CaptureOptions &options) {
  for (const uint32_t pid : options.pids) allow(programs_->map("wanted_tgids"), pid);
  for (const uint64_t cgroup : options.cgroups) allow(programs_->map("wanted_cgroups"), cgroup);
  for (const std::string &name : options.names) {
    struct {
      char text[EVENT_NAME_LENGTH] = {};
    } key;
    // The kernel keeps names cut to this length, so a longer one is compared by its beginning.
    name.copy(key.text, sizeof key.text - 1);
    allow(programs_->map("wanted_names"), key);
  }
}

void Recorder::identify() {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  KernelLog log;
  const int result =
      bpf_prog_test_run_opts(bpf_program__fd(programs_->program("identify")), &options);
  if (result != 0) throw explainFailure(-result, log, capture_);
}

void Recorder::attach() {
  KernelLog log;
  attached_ = true;
  if (const int error = programs_->attach(); error != 0) {
    detach();
    throw explainFailure(error, log, capture_);
  }
  files_ = bpf_program__attach_iter(programs_->program("sweep_files"), nullptr);
  if (files_ == nullptr) {
    const int error = errno;
    detach();
    throw explainFailure(error, log, capture_);
  }
  {
    const std::lock_guard<std::mutex> lock(hints_);
    attachOnDemand();
  }
  runSnapshot();
  if (tlsWanted_) {
    tls_ = std::make_unique<TlsWatcher>(TlsPrograms{programs_->program("on_tls_call"),
                                                    programs_->program("on_tls_return"),
                                                    programs_->program("on_tls_forget")},
                                        bpf_map__fd(programs_->map("program_starts")), startsBytes());
  }
}

void Recorder::runSnapshot() {
  KernelLog log;
  bpf_link *link = bpf_program__attach_iter(programs_->program("snapshot"), nullptr);
  if (link == nullptr) throw explainFailure(errno, log, capture_);
  // The pass learns from it what the file of a socket looks like: there has to be one.
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int result = runIterator(link);
  close(descriptor);
  bpf_link__destroy(link);
  if (result != 0) throw explainFailure(result, log, capture_);
}

void Recorder::detach() {
  if (!attached_) return;
  {
    const std::lock_guard<std::mutex> lock(hints_);
    attached_ = false;
    attachOnDemand();
  }
  programs_->detach();
  if (tls_) tls_->stop();
  // Programs that were running have ended when this returns (it waits for RCU): what they counted as
  // produced is in the ring.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void Recorder::sweepSilent() {
  // To walk an empty map takes a tenth of a millisecond: mostly there is nothing to tell.
  if (__atomic_exchange_n(variables_.silent_held, 0, __ATOMIC_SEQ_CST) == 0) return;
  setSweepAges(kTotalAge, kQuietTotalAge);
  runProgram(programs_->program("sweep_silent"));
}

void Recorder::sweepFiles() {
  setSweepAges(kTotalAge, kQuietTotalAge);
  *variables_.search_number = *variables_.search_number + 1;
  // Without the whole search nothing counts as closed.
  if (runIterator(files_) == 0) runProgram(programs_->program("forget_closed"));
}

void Recorder::sweepAll() {
  setSweepAges(0, 0);
  runProgram(programs_->program("sweep_silent"));
  runIterator(files_);
}

void Recorder::setSweepAges(uint64_t age, uint64_t quietAge) {
  *variables_.sweep_age = age;
  *variables_.sweep_quiet_age = quietAge;
}

void Recorder::quieten(uint64_t connection) {
  const uint8_t yes = 1;
  bpf_map__update_elem(programs_->map("quiet_connections"), &connection, sizeof connection, &yes,
                       sizeof yes, BPF_ANY);
}

HintRefusals Recorder::setHints(uint32_t tgid, uint32_t kinds, go_layout layout) {
  const std::lock_guard<std::mutex> lock(hints_);
  kinds &= *variables_.hint_kinds;
  HintRefusals refused;
  if ((kinds & HINT_ASYNC) != 0 && !hasV8(tgid)) refused.async = kUnknownV8;
  if ((kinds & HINT_POSTS) != 0) refused.posts = posts_.refusal(tgid);
  if (!refused.async.empty()) kinds &= ~static_cast<uint32_t>(HINT_ASYNC);
  if (!refused.posts.empty()) kinds &= ~static_cast<uint32_t>(HINT_POSTS);
  if ((kinds & HINT_GO) != 0) {
    layout.life = ++lives_;
    bpf_map__update_elem(programs_->map("go_layouts"), &tgid, sizeof tgid, &layout, sizeof layout, BPF_ANY);
  }
  if (kinds == 0) {
    bpf_map__delete_elem(programs_->map("hinted"), &tgid, sizeof tgid, 0);
  } else {
    const hinted_process process = {kinds, 0};
    bpf_map__update_elem(programs_->map("hinted"), &tgid, sizeof tgid, &process, sizeof process, BPF_ANY);
  }
  __atomic_fetch_add(variables_.hints_generation, 1, __ATOMIC_RELEASE);
  waking_.erase(tgid);
  if ((kinds & HINT_WAKES) != 0) waking_.insert(tgid);
  const bool starts = (kinds & HINT_GO) != 0 && layout.g_parent == 0;
  starting_.erase(tgid);
  if (starts) starting_[tgid] = 0;
  probed_.erase(tgid);
  const uint32_t probed = (kinds & kProbed) | (starts ? HINT_GO : 0);
  if (probed != 0) probed_[tgid] = probed;
  // Another program may run there now, with another C library.
  probes_.remove(tgid);
  attachOnDemand();
  return refused;
}

void Recorder::pauseHints(bool paused) {
  const std::lock_guard<std::mutex> lock(hints_);
  hintsPaused_ = paused;
  *variables_.hints_paused = paused;
  attachOnDemand();
}

// Attaches or detaches as things are. A hint that cannot be had is no reason to stop recording.
void Recorder::attachOnDemand() {
  const bool active = attached_ && !hintsPaused_;
  const bool wakes = active && !waking_.empty();
  if (wakes && wakes_ == nullptr) {
    wakes_ = bpf_program__attach(programs_->program("on_waking"));
  } else if (!wakes && wakes_ != nullptr) {
    bpf_link__destroy(std::exchange(wakes_, nullptr));
  }
  if (!active) return probes_.clear();
  for (const auto &[tgid, kinds] : probed_) {
    if (!probes_.has(tgid)) probes_.add(tgid, probe(tgid, kinds));
  }
}

std::vector<bpf_link *> Recorder::probe(uint32_t tgid, uint32_t kinds) {
  std::vector<bpf_link *> links;
  const auto take = [&](const std::vector<bpf_link *> &own) { links.insert(links.end(), own.begin(), own.end()); };
  if ((kinds & (HINT_LOOP | HINT_EXECUTOR)) != 0) {
    take(probeLoop(tgid, kinds, {programs_->program("on_loop_turn"), programs_->program("on_task_made"),
                                 programs_->program("on_object_put"), programs_->map("python_layouts")}));
  }
  if ((kinds & HINT_ASYNC) != 0) {
    take(probeV8(tgid, ++lives_, {programs_->program("on_collection_begins"), programs_->program("on_collection_ends"),
                                  programs_->program("on_wrap_reset"), programs_->program("on_handle_connects"),
                                  programs_->map("v8_layouts")}));
  }
  if ((kinds & HINT_POSTS) != 0) {
    take(posts_.probe(tgid, {programs_->program("on_posted"), programs_->program("on_taken")}));
  }
  if ((kinds & HINT_GO) != 0) take(probeGoroutines(tgid, programs_->program("on_goroutine")));
  return links;
}

void Recorder::endCostlyProbes() {
  const std::lock_guard<std::mutex> lock(hints_);
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - startsCounted_).count();
  startsCounted_ = now;
  for (auto process = starting_.begin(); process != starting_.end();) {
    auto &[tgid, count] = *process;
    go_layout layout = {};
    bpf_map__lookup_elem(programs_->map("go_layouts"), &tgid, sizeof tgid, &layout, sizeof layout, 0);
    const uint32_t started = layout.births - std::exchange(count, layout.births);
    // Less than a second says little.
    if (started > kMostStarts * std::max(1.0, seconds)) {
      probes_.remove(tgid);
      probed_.erase(tgid);
      process = starting_.erase(process);
    } else {
      ++process;
    }
  }
}

int Recorder::ringDescriptor() const { return bpf_map__fd(programs_->map("ring")); }

volatile uint32_t &Recorder::sleeping() const { return *variables_.reader_sleeping; }

void Recorder::throttle(const Throttle &throttle) {
  *variables_.head_limit = throttle.headLimit;
  *variables_.sample_limit = throttle.sampleLimit;
}

void Recorder::sumUnreadable(LossCounts &counts, std::vector<uint64_t> &values) const {
  if (counts.byCause[LOSS_PAYLOAD_UNREADABLE] == 0) return;
  for (uint32_t call = 0; call <= kNoCall; call++) {
    const uint64_t sum = sumOf(bpf_map__fd(programs_->map("unreadable_calls")), call, values);
    if (sum > 0) counts.unreadable.emplace_back(call, sum);
  }
}

LossCounts Recorder::losses() const {
  LossCounts counts;
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return counts;
  std::vector<uint64_t> values(static_cast<std::size_t>(processors));
  for (uint32_t cause = 0; cause < LOSS_CAUSES; cause++) {
    counts.byCause[cause] = sumOf(bpf_map__fd(programs_->map("losses")), cause, values);
  }
  counts.produced = sumOf(bpf_map__fd(programs_->map("produced")), 0, values);
  sumUnreadable(counts, values);
  bpf_program *program;
  bpf_object__for_each_program(program, programs_->object()) {
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
