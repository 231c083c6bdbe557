// SPDX-License-Identifier: Apache-2.0
#include "turns.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aftertrace {
namespace {

// The longest known go first: their protocol has to be learned again.
constexpr std::size_t kMostConnections = 32'768;
// Turns of a Unix socket after which a protocol that is not known yet stays so. On TCP every
// dependency may matter; Unix sockets carry the chatter of a whole desktop.
constexpr uint8_t kMostUnrecognised = 4;

}  // namespace

std::string Turns::nameOf(const event_header &record, std::size_t size) {
  if (size < sizeof record || record.size > size) return "";
  if (record.kind == EVENT_CLOSE) forget(record.connection);
  if (record.kind == EVENT_CONNECTION &&
      (record.flags & (EVENT_FLAG_UNIX | EVENT_FLAG_DATAGRAM)) != 0) {
    Connection &connection = connectionOf(record.connection);
    connection.isUnix = (record.flags & EVENT_FLAG_UNIX) != 0;
    connection.datagram = !connection.isUnix;
  }
  const bool isTurn = (record.kind == EVENT_SEND || record.kind == EVENT_RECEIVE) &&
                      (record.flags & EVENT_FLAG_TURN) != 0 && record.size >= sizeof(event_io);
  return isTurn ? nameTurn(reinterpret_cast<const event_io &>(record)) : std::string();
}

uint64_t Turns::takeQuiet() { return std::exchange(quiet_, 0); }

std::string Turns::nameTurn(const event_io &event) {
  Connection &connection = connectionOf(event.header.connection);
  Turn turn = recogniseTurn(connection, event);
  connection.protocol = turn.protocol;
  if (turn.protocol == Protocol::unknown) {
    connection.unrecognised = std::min<int>(connection.unrecognised + 1, 255);
  }
  const bool tiring = connection.isUnix && turn.protocol == Protocol::unknown &&
                      connection.unrecognised > kMostUnrecognised;
  if (!connection.quiet && (tiring || !takesTurns(turn.protocol))) {
    connection.quiet = true;
    quiet_ = event.header.connection;
  }
  std::string name(aftertrace::nameOf(turn.protocol));
  if (!turn.operation.empty()) name.append(" ").append(turn.operation);
  return name;
}

Turn Turns::recogniseTurn(Connection &connection, const event_io &event) {
  const auto *payload = reinterpret_cast<const uint8_t *>(&event + 1);
  std::size_t size = event.header.size - sizeof event;
  if ((event.header.flags & EVENT_FLAG_HINTS) != 0 && size >= sizeof(event_hints)) {
    payload += sizeof(event_hints);
    size -= sizeof(event_hints);
  }
  size = std::min<std::size_t>(size, EVENT_TURN_MAX);
  Beginning &beginning = connection.beginning;
  if (std::exchange(connection.direction, event.header.kind) != event.header.kind) beginning.size = 0;
  std::array<uint8_t, sizeof beginning.bytes + EVENT_TURN_MAX> joined;
  std::memcpy(joined.data(), beginning.bytes.data(), beginning.size);
  std::memcpy(joined.data() + beginning.size, payload, size);
  const std::size_t before = std::exchange(beginning.size, 0);
  Turn turn = recognise({joined.data() + before, size, event.bytes}, connection.protocol,
                        connection.datagram);
  if (before > 0 && turn.operation.empty()) {
    turn = recognise({joined.data(), before + size, before + event.bytes}, connection.protocol,
                     connection.datagram);
  }
  if (before == 0 && turn.operation.empty() && size == event.bytes && size <= beginning.bytes.size()) {
    std::memcpy(beginning.bytes.data(), payload, size);
    beginning.size = size;
  }
  return turn;
}

Turns::Connection &Turns::connectionOf(uint64_t cookie) {
  const auto known = connections_.find(cookie);
  if (known != connections_.end()) return known->second;
  if (connections_.size() >= kMostConnections) forget(ages_.front());
  Connection &fresh = connections_[cookie];
  fresh.age = ages_.insert(ages_.end(), cookie);
  return fresh;
}

void Turns::forget(uint64_t cookie) {
  const auto known = connections_.find(cookie);
  if (known == connections_.end()) return;
  ages_.erase(known->second.age);
  connections_.erase(known);
}

}  // namespace aftertrace
