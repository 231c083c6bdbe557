// SPDX-License-Identifier: Apache-2.0
// Gives up capabilities for good.
#pragma once

#include <cstdint>
#include <string>

namespace aftertrace {

// Leaves every thread of this process no capability outside `kept` (bit n: capability n), and no way to
// get one back by executing a file. Returns what went wrong, empty if nothing: then /proc shows
// every thread without them.
std::string limitCapabilities(uint64_t kept);

}  // namespace aftertrace
