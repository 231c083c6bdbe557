// SPDX-License-Identifier: Apache-2.0
#include "tls_watcher.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "elf_image.h"

namespace aftertrace {
namespace {

constexpr int kSweepMs = 5'000;
// How long probes stay after the last user: programs that run briefly and often find them there.
constexpr int kGraceMs = 10'000;
// How often new mappings are looked at. Each look wakes this thread, and runtimes that compile map code all the
// time; so only a program that starts is worth one of its own, once it has mapped its files.
constexpr int kLookMs = 500;
constexpr int kGatherMs = 4;
// How often all processes are looked at where the kernel does not tell of new mappings.
constexpr int kBlindScanMs = 10'000;
constexpr std::size_t kMostTargets = 64;
constexpr std::size_t kMostPassed = 16'384;
constexpr std::size_t kMostFindings = 4'096;
constexpr int kNice = 10;

int64_t nowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

std::string_view nameOf(const std::string &path) {
  return std::string_view(path).substr(path.rfind('/') + 1);
}

bool contains(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

// Libraries that are looked into. All main programs are.
bool mayBeTls(std::string_view name) {
  return contains(name, {"ssl", "tls", "tcnative", "conscrypt", "cygrpc"});
}

// Libraries that do TLS whether they have symbols or not.
bool isTls(std::string_view name) {
  return contains(name, {"tcnative", "conscrypt", "boringssl", "cygrpc"});
}

bool isJava(std::string_view name) { return name == "libjvm.so"; }

std::string keyOf(const Mapping &mapping) {
  return std::to_string(mapping.file.device) + ':' + std::to_string(mapping.file.inode) + ':' +
         mapping.path;
}

}  // namespace

TlsWatcher::TlsWatcher(const TlsPrograms &programs, int starts, std::size_t bytes)
    : programs_(programs),
      startsDescriptor_(starts),
      starts_(starts, bytes),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  try {
    // Before the scan, so that nothing falls between them.
    events_ = std::make_unique<MappingEvents>();
  } catch (const std::system_error &) {
    // Then all processes are looked at from time to time.
  }
  scan();
  nextSweepMs_ = nowMs() + kSweepMs;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "aftertrace-tls");
}

TlsWatcher::~TlsWatcher() {
  stop();
  close(wake_);
}

void TlsWatcher::stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  while (write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  std::vector<bpf_link *> links;
  for (const auto &[file, target] : targets_) {
    const auto released = target->release();
    links.insert(links.end(), released.begin(), released.end());
  }
  removeProbes(links);
  targets_.clear();
}

std::vector<TlsFinding> TlsWatcher::takeFindings() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<TlsFinding> taken(findings_.begin(), findings_.end());
  findings_.clear();
  return taken;
}

TlsSummary TlsWatcher::summary() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return summary_;
}

void TlsWatcher::run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  while (waitForWork(events_ ? kLookMs : kBlindScanMs)) {
    bool complete = events_ != nullptr;
    if (events_) complete = events_->read([this](const Mapping &mapping) { consider(mapping); });
    if (!complete) scan();
    sweep();
  }
}

// Until a program started, mappings have gathered or the time is up; false when the recording ends.
bool TlsWatcher::waitForWork(int milliseconds) {
  std::vector<pollfd> waits{{wake_, POLLIN, 0}};
  if (events_) {
    waits.push_back({startsDescriptor_, POLLIN, 0});
    for (const int descriptor : events_->descriptors()) waits.push_back({descriptor, POLLIN, 0});
  }
  const int ready = poll(waits.data(), waits.size(), milliseconds);
  if (waits[0].revents != 0) return false;
  if (ready <= 0) return true;
  starts_.drain([](const void *, std::size_t) { return true; });
  pollfd end{wake_, POLLIN, 0};
  return poll(&end, 1, kGatherMs) == 0;
}

void TlsWatcher::scan() {
  for (const pid_t pid : processes()) {
    forEachMapping(pid, [this](const Mapping &mapping) {
      consider(mapping);
      return true;
    });
  }
}

TlsTarget *TlsWatcher::targetOf(const FileId &file) {
  const auto found = targets_.find(file);
  return found == targets_.end() ? nullptr : found->second.get();
}

void TlsWatcher::consider(const Mapping &mapping) {
  if (mapping.pid == getpid()) return;
  if (TlsTarget *target = targetOf(mapping.file)) {
    target->addUser(mapping.pid, nowMs());
    report(mapping, "plaintext", target->failure());
    return;
  }
  const std::string key = keyOf(mapping);
  if (passed_.count(key) != 0) return;
  if (const auto unseen = unseen_.find(key); unseen != unseen_.end()) {
    report(mapping, unseen->second.c_str(), "");
    return;
  }
  const std::string_view name = nameOf(mapping.path);
  inspect(mapping, !mayBeTls(name) && !isJava(name) && isMainProgram(mapping));
}

void TlsWatcher::inspect(const Mapping &mapping, bool main) {
  const std::string_view name = nameOf(mapping.path);
  const std::string key = keyOf(mapping);
  if (passed_.size() + unseen_.size() >= kMostPassed) {
    passed_.clear();
    unseen_.clear();
  }
  const auto cannot = [&](const char *kind) {
    unseen_.emplace(key, kind);
    report(mapping, kind, "");
  };
  if (isJava(name)) return cannot("java");
  if (!main && !mayBeTls(name)) {
    passed_.insert(key);
    return;
  }
  const int descriptor = openMapped(mapping);
  // The process may be gone already; the next one that maps the file is another chance.
  if (descriptor < 0) return;
  const ElfImage image(descriptor);
  const std::vector<TlsProbe> probes = planTlsProbes(image, main);
  if (probes.empty() || targets_.size() >= kMostTargets) {
    close(descriptor);
    if (main && image.hasSection(".go.buildinfo")) return cannot("go");
    if (isTls(name)) return cannot("no-symbols");
    passed_.insert(key);
    return;
  }
  auto target = std::make_unique<TlsTarget>(descriptor, mapping, programs_, probes);
  target->addUser(mapping.pid, nowMs());
  report(mapping, "plaintext", target->failure());
  targets_.emplace(mapping.file, std::move(target));
  summarise();
}

// Takes probes off where nobody is left. Children inherit mappings without a word, so all processes are
// asked before.
void TlsWatcher::sweep() {
  const int64_t now = nowMs();
  if (now < nextSweepMs_) return;
  nextSweepMs_ = now + kSweepMs;
  const auto unused = [&](TlsTarget &target) { return !target.inUse(nowMs(), kGraceMs); };
  const bool doubt = std::any_of(targets_.begin(), targets_.end(),
                                 [&](const auto &entry) { return unused(*entry.second); });
  if (!doubt) return;
  for (const pid_t pid : processes()) {
    forEachMapping(pid, [&](const Mapping &mapping) {
      if (TlsTarget *target = targetOf(mapping.file)) target->addUser(pid, now - kGraceMs);
      return true;
    });
  }
  for (auto at = targets_.begin(); at != targets_.end();) {
    at = unused(*at->second) ? targets_.erase(at) : std::next(at);
  }
  summarise();
}

void TlsWatcher::report(const Mapping &mapping, const char *kind, const std::string &detail) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // A file is mapped in several pieces.
  if (!findings_.empty() && findings_.back().pid == mapping.pid && findings_.back().path == mapping.path) {
    return;
  }
  if (findings_.size() >= kMostFindings) findings_.pop_front();
  findings_.push_back({mapping.pid, kind, mapping.path, detail});
}

void TlsWatcher::summarise() {
  TlsSummary summary;
  for (const auto &[file, target] : targets_) {
    if (!target->failure().empty()) continue;
    summary.targets++;
    summary.probes += target->probes();
    summary.stepped += target->cheap() ? 0 : 1;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  summary_ = summary;
}

}  // namespace aftertrace
