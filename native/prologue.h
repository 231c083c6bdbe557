// SPDX-License-Identifier: Apache-2.0
// Where in a function a uprobe is cheap. The kernel emulates a few instructions (push, jumps, calls;
// arch/x86/kernel/uprobes.c); it has to single-step all others, which costs ten times as much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aftertrace {

// Bytes of a function that are looked at.
constexpr std::size_t kPrologueBytes = 64;

// True where the first instruction is one that the kernel emulates.
bool startsCheaply(const std::vector<uint8_t> &code);

// Offset of the first instruction that is cheap to probe, if every call of the function comes there
// with its first argument still in place: only instructions that are known not to touch it stand before.
std::optional<std::size_t> cheapPlace(const std::vector<uint8_t> &code);

// The function that this one only passes its four arguments on to, registers untouched.
std::optional<uint64_t> passesOnTo(const std::vector<uint8_t> &code, uint64_t address);

// The first function it calls, with the first two arguments untouched.
std::optional<uint64_t> firstCallee(const std::vector<uint8_t> &code, uint64_t address);

}  // namespace aftertrace
