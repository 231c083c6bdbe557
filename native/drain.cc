// SPDX-License-Identifier: Apache-2.0
#include "drain.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>

namespace aftertrace {
namespace {

constexpr std::size_t kQueuedBatches = 64;
constexpr std::size_t kQueuedBytes = 64 << 20;
constexpr std::size_t kSpareBatches = 2;
// Gaps that wait for JavaScript; while there are more, they wait in the check, where they are few.
constexpr std::size_t kWaitingGaps = 4096;

}  // namespace

Drain::Drain(Recorder &recorder, int64_t offsetNs, const RedactionPolicy *policy,
             std::function<void()> ready, std::function<void()> done)
    : recorder_(recorder),
      ring_(recorder.ringDescriptor(), recorder.ringBytes()),
      sleep_(recorder.ringDescriptor(), recorder.sleeping()),
      offsetNs_(offsetNs),
      ready_(std::move(ready)),
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
  do {
    drainOnce();
    seal(Limit::bounded);
    check_.endPass();
    publish();
  } while (sleep_.wait([this] { return ring_.used() >= recorder_.wakeBytes(); }));
  recorder_.detach();
  // A program may have been running when it was detached: the second pass finds its record.
  while (drainOnce() > 0) {
  }
  seal(Limit::none);
  check_.finish();
  publish();
  done_();
}

std::size_t Drain::drainOnce() {
  return ring_.drain([this](const void *data, std::size_t size) { append(data, size); });
}

void Drain::append(const void *data, std::size_t size) {
  if (!current_->append(*static_cast<const event_header *>(data), size, offsetNs_)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.refused++;
    return;
  }
  if (redactor_) redactor_->apply(*current_, current_->rows() - 1);
  if (current_->full()) seal(Limit::bounded);
}

// Hands the current batch over, or drops it when JavaScript is too far behind: the ring must be
// emptied either way, and memory must not grow with the delay.
void Drain::seal(Limit limit) {
  if (current_->rows() == 0) return;
  if (limit == Limit::bounded && !hasRoom()) {
    dropCurrent();
    return;
  }
  // Only what is handed over is looked at: what is dropped leaves holes.
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
}

bool Drain::hasRoom() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queue_.size() < kQueuedBatches && queuedBytes_ < kQueuedBytes;
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

void Drain::dropCurrent() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::size_t rows = current_->rows();
  if (stats_.backpressure == 0) stats_.backpressureFrom = current_->time_ns[0];
  stats_.backpressureTo = current_->time_ns[rows - 1];
  stats_.backpressure += rows;
  current_->clear();
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
