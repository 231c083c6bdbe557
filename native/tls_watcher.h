// SPDX-License-Identifier: Apache-2.0
// Finds TLS libraries as processes map them, probes them, and takes the probes off when nobody uses them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "mapping_events.h"
#include "ring_reader.h"
#include "tls_target.h"

namespace aftertrace {

// What a process was found to use for TLS.
struct TlsFinding {
  pid_t pid;
  std::string kind;    // plaintext: it is seen, unless detail says why not; no-symbols, go, java: it is not
  std::string path;    // of the library or program, as the process sees it
  std::string detail;  // why the kernel refused the probes; '' if it did not
};

struct TlsSummary {
  std::size_t targets = 0;  // libraries that are probed now
  std::size_t probes = 0;
  std::size_t stepped = 0;  // libraries with a probe at an instruction that is dear to probe
};

class TlsWatcher {
 public:
  // Probes what is mapped now before it returns; a thread follows what comes.
  // `starts` is the map of the ring that tells of programs that start, of `bytes`. Throws std::system_error.
  TlsWatcher(const TlsPrograms &programs, int starts, std::size_t bytes);
  ~TlsWatcher();
  TlsWatcher(const TlsWatcher &) = delete;
  TlsWatcher &operator=(const TlsWatcher &) = delete;

  // Takes all probes off. Findings and summary can still be had.
  void stop();

  // Findings since the last call.
  std::vector<TlsFinding> takeFindings();
  TlsSummary summary() const;

 private:
  void run();
  bool waitForWork(int milliseconds);
  void scan();
  void consider(const Mapping &mapping);
  void inspect(const Mapping &mapping, bool main);
  void sweep();
  TlsTarget *targetOf(const FileId &file);
  void report(const Mapping &mapping, const char *kind, const std::string &detail);
  void summarise();

  const TlsPrograms programs_;
  std::unique_ptr<MappingEvents> events_;
  const int startsDescriptor_;
  RingReader starts_;
  int wake_;

  // Touched by the constructor, then by the thread only.
  std::unordered_map<FileId, std::unique_ptr<TlsTarget>, FileIdHash> targets_;
  std::unordered_set<std::string> passed_;  // files that were looked at and are nothing
  std::unordered_map<std::string, std::string> unseen_;  // files whose plaintext cannot be seen: kind
  int64_t nextSweepMs_ = 0;

  mutable std::mutex mutex_;  // guards the two below
  std::deque<TlsFinding> findings_;
  TlsSummary summary_;

  std::thread thread_;
};

}  // namespace aftertrace
