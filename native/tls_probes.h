// SPDX-License-Identifier: Apache-2.0
// Which instructions of a TLS library to probe, and how: from its symbols and the beginnings of its functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "elf_image.h"

namespace aftertrace {

enum class TlsProgram { call, result, forget };

struct TlsProbe {
  TlsProgram program;
  uint64_t offset;  // in the file
  uint64_t cookie;  // for the programs: see bpf/lib/tls-state.h
  bool cheap;       // at an instruction that the kernel emulates
};

// Empty where the image has no functions of a known TLS library, or not both directions of one.
// Looks into the full symbol table too, where `all` is set: programs with the library linked in.
std::vector<TlsProbe> planTlsProbes(const ElfImage &image, bool all);

}  // namespace aftertrace
