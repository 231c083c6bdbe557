// SPDX-License-Identifier: Apache-2.0
#include "privilege.h"

#include <dirent.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace aftertrace {
namespace {

// capset(2) changes the calling thread alone, so every thread is asked by a signal to call it, as glibc
// does for setuid(). The signal is the one that glibc keeps for that: no thread can block it, not even
// the one that Node starts for its debugger, which blocks all others.
constexpr int kSignal = 33;

// As the kernel takes it; glibc's own sigaction() refuses this signal.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

bool exchange(int signal, const KernelAction *action, KernelAction *before) {
  return syscall(SYS_rt_sigaction, signal, action, before, sizeof action->mask) == 0;
}
constexpr int kWaitMs = 1000;

uint64_t wanted;
std::atomic<int> done{0};

// Async-signal-safe.
bool limitThread() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  for (int half = 0; half < 2; half++) {
    const auto mask = static_cast<uint32_t>(wanted >> (32 * half));
    data[half].permitted &= mask;
    data[half].effective &= mask;
    data[half].inheritable &= mask;
  }
  // Ambient capabilities fall with the permitted and inheritable ones.
  if (syscall(SYS_capset, &header, data) != 0) return false;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void onSignal(int) {
  const int before = errno;
  limitThread();
  done.fetch_add(1);
  errno = before;
}

std::vector<pid_t> threads() {
  std::vector<pid_t> found;
  DIR *directory = opendir("/proc/self/task");
  if (directory == nullptr) return found;
  while (const dirent *entry = readdir(directory)) {
    const pid_t thread = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (thread > 0) found.push_back(thread);
  }
  closedir(directory);
  return found;
}

uint64_t permittedOf(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  std::string key, value;
  while (status >> key) {
    if (key != "CapPrm:") continue;
    status >> value;
    return std::strtoull(value.c_str(), nullptr, 16);
  }
  return 0;  // it has ended
}

void askOthers() {
  const auto self = static_cast<pid_t>(syscall(SYS_gettid));
  int asked = 0;
  done.store(0);
  for (const pid_t thread : threads()) {
    if (thread != self && syscall(SYS_tgkill, getpid(), thread, kSignal) == 0) asked++;
  }
  for (int waited = 0; done.load() < asked && waited < kWaitMs; waited++) usleep(1000);
}

}  // namespace

std::string limitCapabilities(uint64_t kept) {
  wanted = kept;
  if (!limitThread()) return std::strerror(errno);
  // Set for a signal that glibc allows, read back with the return path that glibc gave it.
  struct sigaction action = {}, unused = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  KernelAction ours = {}, before = {};
  sigaction(SIGRTMAX, &action, &unused);
  const bool isSet = exchange(SIGRTMAX, nullptr, &ours) && exchange(kSignal, &ours, &before);
  sigaction(SIGRTMAX, &unused, nullptr);
  if (!isSet) return std::strerror(errno);
  askOthers();
  // One that was made meanwhile by a thread not yet asked.
  askOthers();
  exchange(kSignal, &before, nullptr);
  for (const pid_t thread : threads()) {
    if ((permittedOf(thread) & ~kept) != 0) {
      return "thread " + std::to_string(thread) + " did not give them up";
    }
  }
  return "";
}

}  // namespace aftertrace
