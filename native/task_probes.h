// SPDX-License-Identifier: Apache-2.0
// Where asyncio's library in C makes tasks, and where the interpreter tells which one runs: bpf/lib/tasks.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "events.h"

namespace aftertrace {

class ElfImage;
struct Mapping;

// A call with which a new task has the current context copied; what it returns is stored behind it, by
// mov [base + displacement], rax.
struct TaskProbe {
  uint64_t offset = 0;  // of the call, in the file
  uint8_t base = 0;     // number of the register
  uint32_t displacement = 0;
};

// Those calls of PyContext_CopyCurrent() in this library; none where it was compiled otherwise.
std::vector<TaskProbe> planTaskProbes(const ElfImage &image);

// What the probe's program is told: this process, and where the field is.
uint64_t cookieOf(const TaskProbe &probe, uint32_t tgid);

// Where the interpreter keeps its threads, if this mapping is of one of a version that is known: 3.9 to 3.13.
std::optional<python_layout> readPythonLayout(const Mapping &mapping, const ElfImage &image);
// True where the name of the file says so.
bool mayBePython(const Mapping &mapping);

}  // namespace aftertrace
