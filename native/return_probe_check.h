// SPDX-License-Identifier: Apache-2.0
// Whether probes of function returns can do harm here.
#pragma once

namespace aftertrace {

// From Linux 6.11 on, a function with such a probe returns by way of a system call of its own. Until seccomp
// learned to let that pass, a process with a filter that does not know the call was killed there.
// True where that cannot happen: tried out in a child process.
bool returnProbesAreSafe();

}  // namespace aftertrace
