// SPDX-License-Identifier: Apache-2.0
// Kafka requests. Used by the recogniser only.
#pragma once

#include "turn_reader.h"

namespace aftertrace {

// A request: `Produce orders`; the topic only where it stands among the first bytes.
bool recogniseKafka(const TurnReader &reader, std::size_t moved, std::string &operation);

}  // namespace aftertrace
