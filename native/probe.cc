// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>

#include "kernel_types.h"

namespace aftertrace {
namespace {

constexpr int kCapSysAdmin = 21;
constexpr int kCapPerfmon = 38;
constexpr int kCapBpf = 39;
constexpr std::size_t kLogLimit = 4000;

thread_local KernelLog *currentLog = nullptr;

int collect(enum libbpf_print_level level, const char *format, va_list arguments) {
  if (level == LIBBPF_DEBUG || currentLog == nullptr) return 0;
  char line[512];
  vsnprintf(line, sizeof line, format, arguments);
  currentLog->add(line);
  return 0;
}

uint64_t effectiveCapabilities() {
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    if (key == "CapEff:") {
      std::string value;
      status >> value;
      return std::strtoull(value.c_str(), nullptr, 16);
    }
  }
  return 0;
}

std::string missingCapabilities() {
  const uint64_t held = effectiveCapabilities();
  const auto has = [held](int bit) { return (held >> bit & 1) != 0; };
  if (has(kCapSysAdmin)) return "";
  std::string missing;
  if (!has(kCapBpf)) missing = "CAP_BPF";
  if (!has(kCapPerfmon)) missing += missing.empty() ? "CAP_PERFMON" : " and CAP_PERFMON";
  return missing;
}

std::optional<CaptureError> missingKernelSupport(Capture capture) {
  if (access(kKernelTypes, R_OK) != 0) {
    return CaptureError("UNSUPPORTED",
                        std::string("the kernel offers no type information at ") + kKernelTypes,
                        "Use a kernel built with CONFIG_DEBUG_INFO_BTF (all current distributions).");
  }
  if (capture == Capture::socket) {
    const std::string missing = missingTracepoint({"sock_send_length", "sock_recv_length"});
    if (!missing.empty()) {
      return CaptureError("UNSUPPORTED", "this kernel has no tracepoint " + missing,
                          "Leave --capture at auto: Linux before 6.3 is recorded by its system calls.");
    }
  }
  const std::string missing = missingTracepoint({"inet_sock_set_state", "sys_exit"});
  if (missing.empty()) return std::nullopt;
  return CaptureError("UNSUPPORTED", "this kernel has no tracepoint " + missing,
                      "Linux 5.15 or newer is needed to record.");
}

// The smallest program there is: fails only when BPF as such is refused.
int loadTrivialProgram() {
  const bpf_insn program[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  const int descriptor =
      bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, nullptr, "GPL", program, 2, nullptr);
  if (descriptor < 0) return -descriptor;
  close(descriptor);
  return 0;
}

}  // namespace

KernelLog::KernelLog() : outer_(currentLog) {
  libbpf_set_print(collect);
  currentLog = this;
}

KernelLog::~KernelLog() { currentLog = outer_; }

void KernelLog::add(const char *line) {
  text_ += line;
  if (text_.size() > kLogLimit) text_.erase(0, text_.size() - kLogLimit);
}

CaptureError explainFailure(int error, const KernelLog &log, Capture capture) {
  if (auto missing = missingKernelSupport(capture)) return *missing;
  if (error == EPERM || error == EACCES) {
    const std::string capabilities = missingCapabilities();
    if (!capabilities.empty()) {
      return CaptureError("PRIVILEGE", "this process may not load kernel programs: it lacks " + capabilities,
                          "Run as root, or give the process " + capabilities + ".");
    }
  }
  const int trivial = loadTrivialProgram();
  if (trivial == ENOSYS) {
    return CaptureError("UNSUPPORTED", "this kernel has no bpf() system call",
                        "Use a kernel built with CONFIG_BPF_SYSCALL.");
  }
  if (trivial == EPERM) {
    return CaptureError("PRIVILEGE", "bpf() is refused although the capabilities are there",
                        "Look for a seccomp profile (containers) or kernel lockdown that forbids it.");
  }
  std::string words = std::strerror(error);
  if (!log.text().empty()) words += "\n" + log.text();
  return CaptureError("UNSUPPORTED", "the kernel refused the recording programs: " + words,
                      "Linux 5.15 or newer is needed. If this is one, please report it with its version.");
}

}  // namespace aftertrace
