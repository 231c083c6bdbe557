// SPDX-License-Identifier: Apache-2.0
#include "stream_check.h"

#include <string.h>

#include <algorithm>

namespace aftertrace {
namespace {

// Connections watched at once; the traffic of those beyond is not looked at.
constexpr std::size_t kMostConnections = 1 << 16;
constexpr std::size_t kLeastSlots = 1 << 10;
// Connections listed between two calls of takeGaps(); the others share one entry.
constexpr std::size_t kMostGaps = 1000;

enum { kReceived = 0, kSent = 1 };

bool isIo(uint8_t kind) { return kind == EVENT_RECEIVE || kind == EVENT_SEND; }

// Not part of the stream's own numbering: bytes that come again, plaintext, datagrams.
constexpr uint16_t kNoStream = EVENT_FLAG_PEEK | EVENT_FLAG_TLS | EVENT_FLAG_DATAGRAM;

}  // namespace

void StreamCheck::look(const Batch &batch, std::size_t first) {
  for (std::size_t row = first; row < batch.rows(); row++) {
    const uint8_t kind = batch.kind[row];
    if (isIo(kind)) {
      lookAtIo(batch, row);
    } else if (kind == EVENT_CONNECTION) {
      describe(batch, row);
    } else if (kind == EVENT_CLOSE) {
      forget(batch.connection[row], batch.time_ns[row]);
    }
  }
}

void StreamCheck::lookAtIo(const Batch &batch, std::size_t row) {
  const uint16_t flags = batch.flags[row];
  if ((flags & EVENT_FLAG_TRUNCATED) != 0 && (flags & EVENT_FLAG_TURN) == 0) {
    const auto [payload, size] = batch.payload.row(row);
    if (memmem(payload, size, "\r\n\r\n", 4) == nullptr) cutHeads_++;
  }
  if ((flags & kNoStream) != 0) return;
  Connection *connection = findOrAdd(batch.connection[row]);
  if (connection == nullptr) return;
  if (!connection->described) undescribed_++;
  const int direction = batch.kind[row] == EVENT_SEND ? kSent : kReceived;
  move(*connection, direction, batch.sequence[row], batch.bytes[row], batch.time_ns[row]);
}

// Whatever was before, from here on the streams are seen: at the first call, and again when a
// connection comes back into the sample.
void StreamCheck::describe(const Batch &batch, std::size_t row) {
  if ((batch.flags[row] & EVENT_FLAG_DATAGRAM) != 0) return;
  Connection *connection = findOrAdd(batch.connection[row]);
  if (connection == nullptr) return;
  connection->described = true;
  for (const int direction : {kReceived, kSent}) {
    Stream &stream = connection->streams[direction];
    count(*connection, stream, batch.time_ns[row]);
    stream.next = direction == kSent ? batch.sequence[row] : batch.peer_sequence[row];
    stream.known = true;
  }
}

void StreamCheck::move(Connection &connection, int direction, uint32_t sequence, uint32_t bytes,
                       int64_t time) {
  Stream &stream = connection.streams[direction];
  const auto ahead = static_cast<int32_t>(sequence - stream.next);
  if (!stream.known || ahead == 0) {
    stream.known = true;
    stream.next = sequence + bytes;
    return;
  }
  if (ahead < 0) {
    // What looked missing came a little later, from another processor.
    const bool fills = stream.holeFrom != stream.holeTo && sequence == stream.holeFrom &&
                       bytes <= stream.holeTo - stream.holeFrom;
    if (fills) stream.holeFrom += bytes;
    return;
  }
  count(connection, stream, time);
  stream.holeFrom = stream.next;
  stream.holeTo = sequence;
  stream.next = sequence + bytes;
  open_.push_back({connection.cookie, direction, time});
}

void StreamCheck::endPass() {
  for (const Open &open : openBefore_) settle(open);
  openBefore_.swap(open_);
  open_.clear();
}

void StreamCheck::finish() {
  endPass();
  endPass();
}

void StreamCheck::settle(const Open &open) {
  Connection *connection = find(open.cookie);
  if (connection != nullptr) count(*connection, connection->streams[open.direction], open.time);
}

// Makes the pending hole of a stream, if there is one, a gap.
void StreamCheck::count(Connection &connection, Stream &stream, int64_t time) {
  const uint32_t bytes = stream.holeTo - stream.holeFrom;
  if (bytes == 0) return;
  stream.holeFrom = stream.holeTo;
  StreamGap &gap = gapOf(connection, time);
  gap.holes++;
  gap.bytes += bytes;
  gap.to = std::max(gap.to, time);
}

StreamGap &StreamCheck::gapOf(Connection &connection, int64_t time) {
  if (connection.gapRound == round_) return gaps_[connection.gap];
  const bool hasRoom = gaps_.size() < kMostGaps;
  if (hasRoom || gaps_.size() == kMostGaps) {
    gaps_.push_back({hasRoom ? connection.cookie : 0, 0, 0, time, time});
  }
  connection.gap = static_cast<uint32_t>(gaps_.size() - 1);
  connection.gapRound = round_;
  return gaps_.back();
}

std::vector<StreamGap> StreamCheck::takeGaps() {
  std::vector<StreamGap> taken;
  taken.swap(gaps_);
  round_++;
  return taken;
}

// Cookies are nearly consecutive: Fibonacci hashing (Knuth 6.4) spreads them.
std::size_t StreamCheck::slotOf(uint64_t cookie) const {
  return static_cast<std::size_t>(cookie * 0x9e3779b97f4a7c15ULL >> 32) & (table_.size() - 1);
}

StreamCheck::Connection *StreamCheck::find(uint64_t cookie) {
  if (table_.empty()) return nullptr;
  std::size_t slot = slotOf(cookie);
  while (table_[slot].cookie != 0) {
    if (table_[slot].cookie == cookie) return &table_[slot];
    slot = (slot + 1) & (table_.size() - 1);
  }
  return nullptr;
}

StreamCheck::Connection *StreamCheck::findOrAdd(uint64_t cookie) {
  if (cookie == 0) return nullptr;
  Connection *known = find(cookie);
  if (known != nullptr) return known;
  if (used_ >= kMostConnections) return nullptr;
  if (2 * (used_ + 1) > table_.size()) grow();
  std::size_t slot = slotOf(cookie);
  while (table_[slot].cookie != 0) slot = (slot + 1) & (table_.size() - 1);
  table_[slot] = Connection{};
  table_[slot].cookie = cookie;
  used_++;
  return &table_[slot];
}

void StreamCheck::grow() {
  std::vector<Connection> before(std::max(kLeastSlots, 2 * table_.size()));
  before.swap(table_);
  for (const Connection &connection : before) {
    if (connection.cookie == 0) continue;
    std::size_t slot = slotOf(connection.cookie);
    while (table_[slot].cookie != 0) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = connection;
  }
}

// Deletion without tombstones (Knuth 6.4, algorithm R): later entries of the run move up.
void StreamCheck::forget(uint64_t cookie, int64_t time) {
  Connection *found = find(cookie);
  if (found == nullptr) return;
  for (Stream &stream : found->streams) count(*found, stream, time);
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = static_cast<std::size_t>(found - table_.data());
  for (std::size_t slot = (hole + 1) & mask; table_[slot].cookie != 0; slot = (slot + 1) & mask) {
    const std::size_t home = slotOf(table_[slot].cookie);
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    table_[hole] = table_[slot];
    hole = slot;
  }
  table_[hole] = Connection{};
  used_--;
}

}  // namespace aftertrace
