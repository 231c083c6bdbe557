// SPDX-License-Identifier: Apache-2.0
// The thread that empties the ring into batches, and the bounded queue between it and JavaScript.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "batch.h"
#include "recorder.h"
#include "redactor.h"
#include "ring_reader.h"
#include "ring_sleep.h"
#include "stream_check.h"
#include "turns.h"

namespace aftertrace {

struct DrainStats {
  uint64_t events = 0;   // rows put into batches that were queued
  uint64_t batches = 0;  // batches queued
  uint64_t refused = 0;  // records of an unknown kind or size: addon and programs do not match
  uint64_t cutHeads = 0;  // heads longer than what was kept of them
  uint64_t undescribed = 0;  // sends and receives of sockets whose description was lost
  std::size_t queued = 0;
  std::size_t ringUsed = 0;
};

class Drain {
 public:
  // Calls ready() on the drain thread after queueing a batch, beat() about once a second behind what was
  // drained then, done() as the last thing it does.
  // Without a policy payloads are handed over as captured.
  Drain(Recorder &recorder, int64_t offsetNs, const RedactionPolicy *policy,
        std::function<void()> ready, std::function<void()> beat, std::function<void()> done);
  ~Drain();
  Drain(const Drain &) = delete;
  Drain &operator=(const Drain &) = delete;

  // Lets the thread stop the recording, empty the ring and call done(). Returns at once.
  void requestStop();
  void join();

  // The oldest batch, or null. Give it back when it was used.
  std::unique_ptr<Batch> take();
  void giveBack(std::unique_ptr<Batch> batch);
  DrainStats stats() const;
  // Holes in streams found since the last call.
  std::vector<StreamGap> takeGaps();

 private:
  void run();
  std::size_t drainOnce();
  void sweep();
  void beat();
  bool sleep();
  // Both return false where the batch at hand is full and JavaScript too far behind to take it.
  bool append(const void *data, std::size_t size);
  bool seal();
  bool hasRoom() const;
  void publish();
  std::unique_ptr<Batch> emptyBatch();

  Recorder &recorder_;
  RingReader ring_;
  RingSleep sleep_;
  const int64_t offsetNs_;
  const std::function<void()> ready_;
  const std::function<void()> beat_;
  const std::function<void()> done_;

  // Touched by the drain thread only.
  std::unique_ptr<Batch> current_;
  std::unique_ptr<Redactor> redactor_;
  StreamCheck check_;
  Turns turns_;
  bool bounded_ = true;  // the queue is; not at the end, when JavaScript only waits for it
  bool behind_ = false;  // the last pass ended because JavaScript was too far behind
  std::chrono::steady_clock::time_point silentSwept_, filesSwept_, beaten_;

  mutable std::mutex mutex_;  // guards all below
  std::deque<std::unique_ptr<Batch>> queue_;
  std::size_t queuedBytes_ = 0;
  std::vector<std::unique_ptr<Batch>> spare_;
  std::vector<StreamGap> gaps_;
  DrainStats stats_;

  std::thread thread_;
};

}  // namespace aftertrace
