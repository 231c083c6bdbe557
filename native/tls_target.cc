// SPDX-License-Identifier: Apache-2.0
#include "tls_target.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "probe.h"

namespace aftertrace {
namespace {

constexpr std::size_t kUsersKept = 64;
constexpr std::size_t kRemovedAtOnce = 32;

bpf_program *programOf(const TlsPrograms &programs, TlsProgram program) {
  switch (program) {
    case TlsProgram::call:
      return programs.call;
    case TlsProgram::result:
      return programs.result;
    case TlsProgram::forget:
      return programs.forget;
  }
  return nullptr;
}

}  // namespace

TlsTarget::TlsTarget(int descriptor, const Mapping &mapping, const TlsPrograms &programs,
                     const std::vector<TlsProbe> &probes)
    : descriptor_(descriptor), file_(mapping.file), path_(mapping.path) {
  KernelLog log;
  // By its descriptor: no path can be swapped meanwhile, and mount namespaces do not matter.
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
  for (const TlsProbe &probe : probes) {
    LIBBPF_OPTS(bpf_uprobe_opts, options);
    options.retprobe = probe.program == TlsProgram::result;
    options.bpf_cookie = probe.cookie;
    bpf_link *link = bpf_program__attach_uprobe_opts(programOf(programs, probe.program), -1, self.c_str(),
                                                     probe.offset, &options);
    if (link == nullptr) {
      failure_ = std::strerror(errno);
      break;
    }
    links_.push_back(link);
    cheap_ = cheap_ && probe.cheap;
  }
  if (failure_.empty()) return;
  // Half of them would count a direction twice or never.
  removeProbes(release());
}

TlsTarget::~TlsTarget() {
  removeProbes(release());
  close(descriptor_);
}

void TlsTarget::addUser(pid_t pid, int64_t nowMs) {
  lastMs_ = nowMs;
  if (users_.size() < kUsersKept) users_.insert(pid);
}

bool TlsTarget::inUse(int64_t nowMs, int64_t graceMs) {
  if (nowMs - lastMs_ < graceMs) return true;
  while (!users_.empty()) {
    if (maps(*users_.begin(), file_)) return true;
    users_.erase(users_.begin());
  }
  return false;
}

void removeProbes(const std::vector<bpf_link *> &links) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < links.size(); i = next++) bpf_link__destroy(links[i]);
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < std::min(links.size(), kRemovedAtOnce); i++) helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers) helper.join();
}

bool maps(pid_t pid, const FileId &file) {
  bool found = false;
  forEachMapping(pid, [&](const Mapping &mapping) {
    found = mapping.file == file;
    return !found;
  });
  return found;
}

}  // namespace aftertrace
