// SPDX-License-Identifier: Apache-2.0
// The order in which a row group is stored. Neighbours are nearly alike then: sequence numbers rise by
// small steps, heads repeat. Where both ends of a connection were recorded here, what one sent stands
// before what the other received, which is the same bytes once more.
#pragma once

#include <unordered_map>

#include "row_group.h"

namespace aftertrace {

// Columns of the `.part` that the order depends on; -1 where it has none.
struct OrderColumns {
  int kind, connection, peer, localAddress, remoteAddress, localPort, remotePort;
};

class RowSorter {
 public:
  explicit RowSorter(OrderColumns columns) : columns_(columns) {}

  // By connection, or by both ends of one; then what the first end sent, what the second received of
  // it, what the second sent, what the first received of it; then as captured. Rows of no connection
  // stand by kind. Remembers from group to group who talks to whom.
  // The result holds until the next call.
  const RowOrder &sort(const RowGroup &group);

 private:
  struct End {
    uint64_t pair;  // the same for both ends of a connection
    bool second;
  };
  void learn(const RowGroup &group);

  const OrderColumns columns_;
  std::unordered_map<uint64_t, End> ends_;
  // The columns of the group at hand; kept so that their memory is.
  std::vector<uint8_t> kinds_;
  std::vector<uint64_t> connections_, peers_;
  std::vector<uint16_t> localPorts_, remotePorts_;
  std::vector<std::string_view> localAddresses_, remoteAddresses_;
  std::vector<uint32_t> places_;
  RowOrder order_;
};

}  // namespace aftertrace
