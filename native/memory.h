// SPDX-License-Identifier: Apache-2.0
// Gives memory back that the process holds and does not need: a recorder runs for months beside others.
#pragma once

namespace aftertrace {

// Free memory of the allocator, and the program text that only the start needed: some 30 MB of Node's.
// Text is read again from the page cache when it is needed.
void releaseMemory();

}  // namespace aftertrace
