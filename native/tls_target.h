// SPDX-License-Identifier: Apache-2.0
// One TLS library (or a program with one linked in) and the probes in it. Probes are in the file, for all
// processes that map it; they go with the object.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "process_maps.h"
#include "tls_probes.h"

struct bpf_link;
struct bpf_program;

namespace aftertrace {

struct TlsPrograms {
  bpf_program *call = nullptr;
  bpf_program *result = nullptr;
  bpf_program *forget = nullptr;
};

class TlsTarget {
 public:
  // Takes the descriptor. Attaches at once; where the kernel refuses, none stays and failure() says why.
  TlsTarget(int descriptor, const Mapping &mapping, const TlsPrograms &programs,
            const std::vector<TlsProbe> &probes);
  ~TlsTarget();
  TlsTarget(const TlsTarget &) = delete;
  TlsTarget &operator=(const TlsTarget &) = delete;

  const FileId &file() const { return file_; }
  const std::string &path() const { return path_; }
  const std::string &failure() const { return failure_; }
  std::size_t probes() const { return links_.size(); }
  bool cheap() const { return cheap_; }

  // The probes, to be taken off by the caller: none is left here.
  std::vector<bpf_link *> release() { return std::move(links_); }

  // A process was seen to map it.
  void addUser(pid_t pid, int64_t nowMs);
  // True while it was mapped less than `graceMs` ago or one of the known users still maps it.
  bool inUse(int64_t nowMs, int64_t graceMs);

 private:
  const int descriptor_;
  const FileId file_;
  const std::string path_;
  std::string failure_;
  bool cheap_ = true;
  std::vector<bpf_link *> links_;  // in the order they were set
  std::set<pid_t> users_;  // some of them: one that is there is enough
  int64_t lastMs_ = 0;
};

// Takes probes off, several at a time: each waits until no processor can be in its program any more.
void removeProbes(const std::vector<bpf_link *> &links);

// True where the process maps code of the file.
bool maps(pid_t pid, const FileId &file);

}  // namespace aftertrace
