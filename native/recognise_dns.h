// SPDX-License-Identifier: Apache-2.0
// DNS messages. Used by the recogniser only.
#pragma once

#include "turn_reader.h"

namespace aftertrace {

// A query: `A example.com`. `at`: 0 in a datagram, 2 behind the length that TCP puts before it.
bool recogniseDns(const TurnReader &reader, std::size_t at, std::string &operation);

}  // namespace aftertrace
