// SPDX-License-Identifier: Apache-2.0
#include "drain.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

namespace aftertrace {
namespace {

// What waits for JavaScript beyond this waits in the ring, whose memory is there anyway; what does not
// fit there either, the kernel programs count.
constexpr std::size_t kQueuedBytes = 8 << 20;
constexpr std::size_t kSpareBatches = 1;
// How long the thread waits for JavaScript before it looks again.
constexpr int kBehindMs = 5;
// Gaps that wait for JavaScript; while there are more, they wait in the check, where they are few.
constexpr std::size_t kWaitingGaps = 4096;

using Clock = std::chrono::steady_clock;
// The second visits all open files of the host, in some 2 ms per 100 processes.
constexpr auto kSilentEvery = std::chrono::milliseconds(900);
constexpr auto kFilesEvery = std::chrono::seconds(10);
// A little less than a sleep takes: then every pass is one where nothing wakes the thread earlier.
constexpr auto kBeatEvery = std::chrono::milliseconds(850);

}  // namespace

Drain::Drain(Recorder &recorder, int64_t offsetNs, const RedactionPolicy *policy,
             std::function<void()> ready, std::function<void()> beat, std::function<void()> done)
    : recorder_(recorder),
      ring_(recorder.ringDescriptor(), recorder.ringBytes()),
      sleep_(recorder.ringDescriptor(), recorder.sleeping()),
      offsetNs_(offsetNs),
      ready_(std::move(ready)),
      beat_(std::move(beat)),
      done_(std::move(done)),
      current_(std::make_unique<Batch>()),
      redactor_(policy == nullptr ? nullptr : std::make_unique<Redactor>(*policy)) {
  // Signals belong to Node's threads: a new thread inherits the mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "aftertrace-ring");
}

Drain::~Drain() {
  requestStop();
  join();
}

void Drain::requestStop() { sleep_.end(); }

void Drain::join() {
  if (thread_.joinable()) thread_.join();
}

void Drain::run() {
  silentSwept_ = filesSwept_ = beaten_ = Clock::now();
  do {
    sweep();
    drainOnce();
    seal();
    check_.endPass();
    publish();
    beat();
  } while (sleep());
  bounded_ = false;
  recorder_.detach();
  drainOnce();
  recorder_.sweepAll();
  // A program may have been running when it was detached: the second pass finds its record.
  while (drainOnce() > 0) {
  }
  seal();
  check_.finish();
  publish();
  done_();
}

void Drain::sweep() {
  const auto now = Clock::now();
  if (now - silentSwept_ >= kSilentEvery) {
    silentSwept_ = now;
    recorder_.sweepSilent();
    recorder_.endCostlyProbes();
  }
  if (now - filesSwept_ >= kFilesEvery) {
    filesSwept_ = now;
    recorder_.sweepFiles();
  }
}

// To wake JavaScript from its sleep costs it more than what it does then: it wakes for all at once.
void Drain::beat() {
  const auto now = Clock::now();
  if (now - beaten_ < kBeatEvery) return;
  beaten_ = now;
  beat_();
}

bool Drain::sleep() {
  if (behind_) return sleep_.pause(kBehindMs);
  return sleep_.wait([this] { return ring_.used() >= recorder_.wakeBytes(); });
}

std::size_t Drain::drainOnce() {
  behind_ = false;
  return ring_.drain([this](const void *data, std::size_t size) { return append(data, size); });
}

bool Drain::append(const void *data, std::size_t size) {
  if (current_->full() && !seal()) {
    behind_ = true;
    return false;
  }
  const auto &record = *static_cast<const event_header *>(data);
  const std::string turn = turns_.nameOf(record, size);
  if (const uint64_t quiet = turns_.takeQuiet(); quiet != 0) recorder_.quieten(quiet);
  if (!current_->append(record, size, offsetNs_, turn)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.refused++;
    return true;
  }
  if (redactor_) redactor_->apply(*current_, current_->rows() - 1);
  return true;
}

// Hands the current batch over, unless memory would grow with JavaScript's delay.
bool Drain::seal() {
  if (current_->rows() == 0) return true;
  if (bounded_ && !hasRoom()) return false;
  check_.look(*current_, 0);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.events += current_->rows();
    stats_.batches++;
    queuedBytes_ += current_->memory();
    queue_.push_back(std::move(current_));
    current_ = emptyBatch();
  }
  ready_();
  return true;
}

bool Drain::hasRoom() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queuedBytes_ < kQueuedBytes;
}

void Drain::publish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stats_.cutHeads = check_.cutHeads();
  stats_.undescribed = check_.undescribed();
  if (gaps_.size() >= kWaitingGaps) return;
  const std::vector<StreamGap> found = check_.takeGaps();
  gaps_.insert(gaps_.end(), found.begin(), found.end());
}

std::vector<StreamGap> Drain::takeGaps() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<StreamGap> taken;
  taken.swap(gaps_);
  return taken;
}

std::unique_ptr<Batch> Drain::emptyBatch() {
  if (spare_.empty()) return std::make_unique<Batch>();
  std::unique_ptr<Batch> batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

std::unique_ptr<Batch> Drain::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (queue_.empty()) return nullptr;
  std::unique_ptr<Batch> batch = std::move(queue_.front());
  queue_.pop_front();
  queuedBytes_ -= batch->memory();
  return batch;
}

void Drain::giveBack(std::unique_ptr<Batch> batch) {
  batch->clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (spare_.size() < kSpareBatches) spare_.push_back(std::move(batch));
}

DrainStats Drain::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  DrainStats stats = stats_;
  stats.queued = queue_.size();
  stats.ringUsed = ring_.used();
  return stats;
}

}  // namespace aftertrace
