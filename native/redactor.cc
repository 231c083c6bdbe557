// SPDX-License-Identifier: Apache-2.0
#include "redactor.h"

#include <algorithm>

#include "record_mask.h"

namespace aftertrace {
namespace {

// The longest known go first and are masked when they go on.
constexpr std::size_t kMostConnections = 32'768;

// The rest of the line at hand is of unknown meaning.
void loseTrack(StreamState &state) {
  if (state.phase == Phase::body) return;
  state.marking = false;
  state.phase = Phase::value;
  state.mode = Mode::masked;
}

// Bytes of the stream that are not in the record.
void skip(StreamState &state, uint64_t bytes) {
  loseTrack(state);
  state.left -= std::min(state.left, bytes);
}

// Plaintext of TLS is a stream of its own beside the encrypted one, with its own positions.
constexpr uint64_t kPlaintext = uint64_t{1} << 63;

bool isTls(const Batch &batch, std::size_t row) { return (batch.flags[row] & EVENT_FLAG_TLS) != 0; }

uint64_t keyOf(const Batch &batch, std::size_t row) {
  return batch.connection[row] | (isTls(batch, row) ? kPlaintext : 0);
}

uint32_t positionOf(const Batch &batch, std::size_t row) {
  return isTls(batch, row) ? static_cast<uint32_t>(batch.count[row]) : batch.sequence[row];
}

bool isPeek(const Batch &batch, std::size_t row) {
  return (batch.flags[row] & EVENT_FLAG_PEEK) != 0;
}

uint32_t endOf(const Batch &batch, std::size_t row) {
  return positionOf(batch, row) + batch.bytes[row];
}

}  // namespace

void Redactor::apply(Batch &batch, std::size_t row) {
  const uint8_t kind = batch.kind[row];
  if (kind == EVENT_CLOSE) {
    forget(batch.connection[row]);
    forget(batch.connection[row] | kPlaintext);
  }
  if (kind != EVENT_SEND && kind != EVENT_RECEIVE) return;
  const auto [bytes, size] = batch.payload.row(row);
  if (size == 0) {
    passUncaptured(batch, row);
  } else {
    redactRow(batch, row, bytes, size);
  }
}

Redactor::ConnectionState &Redactor::stateOf(uint64_t connection) {
  const auto known = connections_.find(connection);
  if (known != connections_.end()) return known->second;
  if (connections_.size() >= kMostConnections) forget(ages_.front());
  ConnectionState &fresh = connections_[connection];
  fresh.age = ages_.insert(ages_.end(), connection);
  return fresh;
}

void Redactor::forget(uint64_t connection) {
  const auto known = connections_.find(connection);
  if (known == connections_.end()) return;
  ages_.erase(known->second.age);
  connections_.erase(known);
}

// Bytes that were not captured still move the stream on.
void Redactor::passUncaptured(const Batch &batch, std::size_t row) {
  const auto known = connections_.find(keyOf(batch, row));
  if (known == connections_.end() || isPeek(batch, row)) return;
  StreamState &state =
      batch.kind[row] == EVENT_SEND ? known->second.send : known->second.receive;
  skip(state, batch.bytes[row]);
  state.next = endOf(batch, row);
}

void Redactor::redactRow(Batch &batch, std::size_t row, uint8_t *bytes, std::size_t size) {
  ConnectionState &both = stateOf(keyOf(batch, row));
  const bool isSend = batch.kind[row] == EVENT_SEND;
  StreamState &state = isSend ? both.send : both.receive;
  StreamState &other = isSend ? both.receive : both.send;
  // Peeked bytes come again: they are masked by a copy, and the stream stays where it is.
  StreamState copy;
  const bool peek = isPeek(batch, row);
  if (peek) copy = state;
  StreamState &working = peek ? copy : state;
  if (working.next != -1 && working.next != positionOf(batch, row)) {
    loseTrack(working);
    working.left = 0;
  }
  const uint32_t moved = batch.bytes[row];
  RecordMask(policy_, names_, working, other).run(bytes, size);
  if (moved > size) skip(working, moved - size);
  working.next = endOf(batch, row);
}

}  // namespace aftertrace
