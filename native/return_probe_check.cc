// SPDX-License-Identifier: Apache-2.0
#include "return_probe_check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

namespace aftertrace {
namespace {

constexpr long kReturnProbeCall = 335;  // uretprobe(2), x86-64
constexpr int kRefused = 1;
constexpr int kAbsent = 2;
constexpr int kUnknown = 3;

// In the child: only system calls, nothing that could wait for a lock of another thread. The call is not
// made from where the kernel put it, so that it ends the child with SIGILL where it gets through.
[[noreturn]] void callBehindFilter(bool filtered) {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(SIGILL, SIG_DFL);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kReturnProbeCall, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (filtered && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                   prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)) {
    _exit(kUnknown);
  }
  syscall(kReturnProbeCall);
  _exit(errno == ENOSYS ? kAbsent : kRefused);
}

// The status that the child ended with; -1 where it could not be made.
int tryCall(bool filtered) {
  const pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) callBehindFilter(filtered);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

bool exited(int status, int code) {
  return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

}  // namespace

bool returnProbesAreSafe() {
  if (exited(tryCall(false), kAbsent)) return true;
  // With no filter to be had (or no child) nothing is known: then processes here have none either.
  return !exited(tryCall(true), kRefused);
}

}  // namespace aftertrace
