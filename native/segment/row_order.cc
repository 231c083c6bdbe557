// SPDX-License-Identifier: Apache-2.0
#include "row_order.h"

#include <algorithm>
#include <functional>

#include "events.h"

namespace aftertrace {
namespace {

// Other rows of a connection first: what it is and how it ended. Then its four blocks.
enum Block : uint32_t { kOther, kFirstSent, kSecondReceived, kSecondSent, kFirstReceived, kBlocks };

// Sockets whose other end is remembered; beyond, a new start: only the order suffers.
constexpr std::size_t kMostEnds = 1 << 16;

uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15 + b;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
  return x ^ x >> 32;
}

bool isConnectionKind(uint8_t kind) { return kind >= EVENT_CONNECTION && kind <= EVENT_CLOSE; }

uint32_t blockOf(uint8_t kind, bool second) {
  if (kind == EVENT_SEND) return second ? kSecondSent : kFirstSent;
  if (kind == EVENT_RECEIVE) return second ? kSecondReceived : kFirstReceived;
  return kOther;
}

uint64_t endpoint(std::string_view address, uint16_t port) {
  return mix(std::hash<std::string_view>{}(address), port);
}

}  // namespace

void RowSorter::learn(const RowGroup &group) {
  if (std::none_of(kinds_.begin(), kinds_.end(), isConnectionKind)) return;
  group.numbers(columns_.peer, peers_);
  group.numbers(columns_.localPort, localPorts_);
  group.numbers(columns_.remotePort, remotePorts_);
  group.texts(columns_.localAddress, localAddresses_);
  group.texts(columns_.remoteAddress, remoteAddresses_);
  for (std::size_t row = 0; row < group.rows(); row++) {
    if (!isConnectionKind(kinds_[row])) continue;
    uint64_t local, remote;
    if (peers_[row] != 0) {
      local = connections_[row];
      remote = peers_[row];
    } else if (localPorts_[row] != 0 && remotePorts_[row] != 0) {
      local = endpoint(localAddresses_[row], localPorts_[row]);
      remote = endpoint(remoteAddresses_[row], remotePorts_[row]);
    } else {
      continue;
    }
    if (ends_.size() >= kMostEnds) ends_.clear();
    const uint64_t pair = mix(std::min(local, remote), std::max(local, remote));
    ends_[connections_[row]] = {pair, local > remote};
  }
}

// A counting sort: a few nanoseconds a row.
const RowOrder &RowSorter::sort(const RowGroup &group) {
  const std::size_t rows = group.rows();
  group.numbers(columns_.kind, kinds_);
  group.numbers(columns_.connection, connections_);
  learn(group);

  std::unordered_map<uint64_t, uint32_t> numbers;  // of pairs, by first appearance
  const auto numberOf = [&](uint64_t pair) {
    return numbers.try_emplace(pair, static_cast<uint32_t>(numbers.size())).first->second;
  };
  // Of connections: the number of their pair, and whether they are its second end.
  std::unordered_map<uint64_t, std::pair<uint32_t, bool>> numbered;
  places_.resize(rows);
  for (std::size_t row = 0; row < rows; row++) {
    const uint64_t connection = connections_[row];
    if (connection == 0) {
      places_[row] = numberOf(mix(0, kinds_[row])) * kBlocks + blockOf(kinds_[row], false);
      continue;
    }
    const auto [at, isNew] = numbered.try_emplace(connection);
    if (isNew) {
      const auto known = ends_.find(connection);
      const End end = known == ends_.end() ? End{mix(connection, 0), false} : known->second;
      at->second = {numberOf(end.pair), end.second};
    }
    places_[row] = at->second.first * kBlocks + blockOf(kinds_[row], at->second.second);
  }
  std::vector<uint32_t> next(numbers.size() * kBlocks + 1);
  for (const uint32_t place : places_) next[place + 1]++;
  for (std::size_t i = 1; i < next.size(); i++) next[i] += next[i - 1];
  order_.resize(rows);
  for (std::size_t row = 0; row < rows; row++) {
    order_[next[places_[row]]++] = static_cast<uint32_t>(row);
  }
  return order_;
}

}  // namespace aftertrace
