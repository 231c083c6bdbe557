// SPDX-License-Identifier: Apache-2.0
// The kernel programs: loaded by the constructor, recording between attach() and detach(),
// gone with the object (or the process, however it ends).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "events.h"
#include "post_probes.h"
#include "process_probes.h"
#include "programs.h"
#include "tls_watcher.h"

namespace aftertrace {

struct CaptureOptions {
  uint32_t snaplen = 1024;
  std::size_t ringBytes = 16 << 20;  // rounded up to a power of two
  bool tls = false;                  // probe TLS libraries for their plaintext
  // Empty accepts all.
  std::vector<uint16_t> ports;
  std::vector<uint32_t> pids;
  std::vector<std::string> names;
  std::vector<uint64_t> cgroups;
  uint32_t hints = 0;  // HINT_ bits that processes may give
  std::optional<Capture> capture;  // nothing: the best that the kernel has
};

// Why the programs cannot run: code is one of the ErrorCode strings of src/model/errors.ts.
class CaptureError : public std::runtime_error {
 public:
  CaptureError(const char *code, const std::string &message, const std::string &remedy)
      : std::runtime_error(message), code(code), remedy(remedy) {}
  const char *code;
  std::string remedy;
};

struct LossCounts {
  uint64_t byCause[LOSS_CAUSES] = {};
  uint64_t recursion = 0;  // runs the kernel skipped because the program was already running there
  uint64_t produced = 0;   // records given to the ring, those that it refused included
  uint64_t runTime = 0;    // ns spent in the programs; grows only while the kernel measures it
  // Payload that could not be read: number of the system call (kNoCall: none), how often.
  std::vector<std::pair<uint32_t, uint64_t>> unreadable;
};

constexpr uint32_t kNoCall = 511;

// What the programs leave out to keep the recorder's budget.
struct Throttle {
  uint32_t headLimit = EVENT_PAYLOAD_MAX;  // bytes kept of the heads of healthy messages
  uint32_t sampleLimit = UINT32_MAX;       // connections whose key is below this are recorded
};

// Why a process cannot give a kind of hint that was asked of it; empty where it can.
struct HintRefusals {
  std::string async;
  std::string posts;
};

class Recorder {
 public:
  explicit Recorder(const CaptureOptions &options);  // throws CaptureError
  ~Recorder();
  Recorder(const Recorder &) = delete;
  Recorder &operator=(const Recorder &) = delete;

  // Starts recording, then describes the connections that are already open. Throws CaptureError.
  void attach();
  // Stops recording; what is in the ring stays readable. Safe to call twice.
  void detach();

  // Tells what Unix sockets held back for long enough; cheap, for about once a second.
  void sweepSilent();
  // Takes the probe off processes that start so many goroutines that it costs too much.
  void endCostlyProbes();
  // The same for TCP, and tells which Unix sockets closed. Visits every open file of the host.
  void sweepFiles();
  // Tells all that is held back: after detach(), for the end.
  void sweepAll();
  // Turns of this connection need no records of their own any more.
  void quieten(uint64_t connection);

  int ringDescriptor() const;
  std::size_t ringBytes() const { return ringBytes_; }
  Capture capture() const { return capture_; }
  // Shared with the programs: 1 while the reader sleeps and wants to be woken.
  volatile uint32_t &sleeping() const;
  // Bytes in the ring at which they wake it.
  std::size_t wakeBytes() const { return ringBytes_ / 8; }
  LossCounts losses() const;
  // Takes effect with the next event.
  void throttle(const Throttle &throttle);
  // Null where plaintext of TLS is not asked for, and before attach().
  TlsWatcher *tls() const { return tls_.get(); }

  // Which hints a process gives: HINT_ bits, 0 none. Kinds that are off are ignored. Any thread.
  // HINT_GO needs the layout of its runtime.
  HintRefusals setHints(uint32_t tgid, uint32_t kinds, go_layout layout);
  // No process gives hints until this is taken back.
  void pauseHints(bool paused);

 private:
  void configure(const CaptureOptions &options);
  void configureTls(bool wanted);
  void fillFilters(const CaptureOptions &options);
  void identify();
  void runSnapshot();
  void setSweepAges(uint64_t age, uint64_t quietAge);
  void sumUnreadable(LossCounts &counts, std::vector<uint64_t> &values) const;
  void attachOnDemand();  // with hints_ held
  std::vector<bpf_link *> probe(uint32_t tgid, uint32_t kinds);

  const Capture capture_;
  std::unique_ptr<Programs> programs_;
  ProgramVariables variables_ = {};
  std::unique_ptr<TlsWatcher> tls_;
  std::size_t ringBytes_ = 0;
  bool tlsWanted_ = false;
  bool attached_ = false;
  bpf_link *files_ = nullptr;
  std::mutex hints_;  // the drain thread detaches, JavaScript tells of processes
  bool hintsPaused_ = false;
  // Tgids that give HINT_WAKES, and what is attached while there are any: all processes pay for it.
  std::unordered_set<uint32_t> waking_;
  bpf_link *wakes_ = nullptr;
  // By tgid the kinds of hints for which a process is probed, and the probes.
  std::unordered_map<uint32_t, uint32_t> probed_;
  ProcessProbes probes_;
  PostPlans posts_;
  // Those whose goroutines are counted as they start, with how many they had started when that was last looked at.
  std::unordered_map<uint32_t, uint32_t> starting_;
  std::chrono::steady_clock::time_point startsCounted_ = std::chrono::steady_clock::now();
  uint32_t lives_ = 0;
};

}  // namespace aftertrace
