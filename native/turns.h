// SPDX-License-Identifier: Apache-2.0
// What each connection that is not HTTP/1 speaks, learned from the first bytes of its turns.
#pragma once

#include <array>
#include <list>
#include <string>
#include <unordered_map>

#include "events.h"
#include "recognise.h"

namespace aftertrace {

class Turns {
 public:
  // What a record of the ring is called in column `name`, '' for nothing. Records must come in order.
  // `size`: bytes that are there, whatever the record says.
  std::string nameOf(const event_header &record, std::size_t size);
  // The connection whose turns need no records any more, found by the last nameOf(); 0 none.
  uint64_t takeQuiet();

 private:
  // A header that came in a piece of its own, to be read with what follows.
  struct Beginning {
    std::array<uint8_t, 16> bytes;
    std::size_t size = 0;
  };
  struct Connection {
    Protocol protocol = Protocol::unknown;
    bool isUnix = false;
    bool datagram = false;
    bool quiet = false;
    uint8_t unrecognised = 0;
    uint16_t direction = 0;  // kind of the last turn
    Beginning beginning;
    std::list<uint64_t>::iterator age;
  };

  Connection &connectionOf(uint64_t cookie);
  void forget(uint64_t cookie);
  std::string nameTurn(const event_io &event);
  Turn recogniseTurn(Connection &connection, const event_io &event);

  std::unordered_map<uint64_t, Connection> connections_;
  std::list<uint64_t> ages_;  // the connection seen first is in front
  uint64_t quiet_ = 0;
};

}  // namespace aftertrace
