// SPDX-License-Identifier: Apache-2.0
// Why the kernel refuses: in words, with a remedy, instead of an errno.
#pragma once

#include <string>

#include "recorder.h"

namespace aftertrace {

// Collects what libbpf says while it lives, instead of letting it print. One per thread.
class KernelLog {
 public:
  KernelLog();
  ~KernelLog();
  KernelLog(const KernelLog &) = delete;
  KernelLog &operator=(const KernelLog &) = delete;
  // The last lines, bounded.
  const std::string &text() const { return text_; }
  void add(const char *line);

 private:
  std::string text_;
  KernelLog *outer_;
};

// Looks for the cause of a failed load, first what is missing on the host, then what is not
// permitted, then the kernel's own words.
CaptureError explainFailure(int error, const KernelLog &log, Capture capture);

}  // namespace aftertrace
