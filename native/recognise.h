// SPDX-License-Identifier: Apache-2.0
// Names protocol and operation by the first bytes of a turn. Pure; the bytes may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aftertrace {

enum class Protocol : uint8_t {
  unknown,
  redis,
  postgresql,
  mysql,
  mongodb,
  kafka,
  memcached,
  dns,
  fastcgi,
  // These do not take turns: what they are is all that is told of them.
  tls,
  ssh,
  http2,
  amqp,
  dbus,
  x11,
};

std::string_view nameOf(Protocol protocol);
// False where requests and responses overlap or cannot be told apart.
bool takesTurns(Protocol protocol);

struct Turn {
  Protocol protocol = Protocol::unknown;
  // Verb of a request, behind it the topic or name where that is no secret; '' where there is none.
  // Never an argument, a key, a value.
  std::string operation;
};

// The first bytes of a turn.
struct TurnBytes {
  const uint8_t *data;
  std::size_t size;   // bytes at hand
  std::size_t moved;  // bytes that the call moved: size or more
};

// `known` is what the connection was found to speak before.
Turn recognise(const TurnBytes &bytes, Protocol known, bool datagram);

}  // namespace aftertrace
