// SPDX-License-Identifier: Apache-2.0
#include "row_order.h"

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

void RowSorter::learn(const RowGroup &group, const std::vector<uint8_t> &kinds,
                      const std::vector<uint64_t> &connections) {
  const auto localPorts = group.numbers<uint16_t>(columns_.localPort);
  const auto remotePorts = group.numbers<uint16_t>(columns_.remotePort);
  const auto peers = group.numbers<uint64_t>(columns_.peer);
  const auto localAddresses = group.bytes(columns_.localAddress);
  const auto remoteAddresses = group.bytes(columns_.remoteAddress);
  for (std::size_t row = 0; row < group.rows(); row++) {
    if (!isConnectionKind(kinds[row])) continue;
    uint64_t local, remote;
    if (peers[row] != 0) {
      local = connections[row];
      remote = peers[row];
    } else if (localPorts[row] != 0 && remotePorts[row] != 0) {
      local = endpoint(localAddresses[row], localPorts[row]);
      remote = endpoint(remoteAddresses[row], remotePorts[row]);
    } else {
      continue;
    }
    if (ends_.size() >= kMostEnds) ends_.clear();
    ends_[connections[row]] = {mix(std::min(local, remote), std::max(local, remote)), local > remote};
  }
}

// A counting sort: a few nanoseconds a row.
RowOrder RowSorter::sort(const RowGroup &group) {
  const std::size_t rows = group.rows();
  const auto kinds = group.numbers<uint8_t>(columns_.kind);
  const auto connections = group.numbers<uint64_t>(columns_.connection);
  learn(group, kinds, connections);

  std::unordered_map<uint64_t, uint32_t> numbers;  // of pairs, by first appearance
  std::vector<uint32_t> places(rows);
  for (std::size_t row = 0; row < rows; row++) {
    const uint64_t connection = connections[row];
    End end{mix(connection, connection == 0 ? kinds[row] : 0), false};
    if (connection != 0) {
      const auto known = ends_.find(connection);
      if (known != ends_.end()) end = known->second;
    }
    const auto number = numbers.emplace(end.pair, static_cast<uint32_t>(numbers.size())).first->second;
    places[row] = number * kBlocks + blockOf(kinds[row], end.second);
  }
  std::vector<uint32_t> next(numbers.size() * kBlocks + 1);
  for (const uint32_t place : places) next[place + 1]++;
  for (std::size_t i = 1; i < next.size(); i++) next[i] += next[i - 1];
  RowOrder order(rows);
  for (std::size_t row = 0; row < rows; row++) {
    order[next[places[row]]++] = static_cast<uint32_t>(row);
  }
  return order;
}

}  // namespace aftertrace
