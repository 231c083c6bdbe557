// SPDX-License-Identifier: Apache-2.0
#include "prologue.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

namespace aftertrace {
namespace {

enum class Kind {
  unknown,   // anything not in the list: nothing can be said of it or of what follows
  harmless,  // touches none of the argument registers
  count,     // changes the third or fourth argument only
  push,
  branch,  // conditional
  jump,
  call,
};

struct Instruction {
  Kind kind = Kind::unknown;
  std::size_t length = 0;
  int64_t distance = 0;  // of a jump or call, from its end
};

// Register numbers of the arguments: rdi, rsi, rdx, rcx.
constexpr bool isArgument(unsigned reg) { return reg == 7 || reg == 6 || reg == 2 || reg == 1; }
constexpr bool isCount(unsigned reg) { return reg == 2 || reg == 1; }

class Decoder {
 public:
  Decoder(const std::vector<uint8_t> &code, std::size_t at)
      : bytes_(code.data() + at), left_(code.size() - at) {}

  Instruction next() const {
    for (const auto decode : {&Decoder::fixed, &Decoder::stack, &Decoder::transfer, &Decoder::move}) {
      const Instruction found = (this->*decode)();
      if (found.kind != Kind::unknown && found.length <= left_) return found;
    }
    return {};
  }

 private:
  bool starts(std::initializer_list<uint8_t> bytes) const {
    return bytes.size() <= left_ && std::equal(bytes.begin(), bytes.end(), bytes_);
  }
  uint8_t at(std::size_t index) const { return index < left_ ? bytes_[index] : 0; }

  // Encodings without variable parts, or with constants only.
  Instruction fixed() const {
    if (starts({0xf3, 0x0f, 0x1e, 0xfa})) return {Kind::harmless, 4};        // endbr64
    if (starts({0x31, 0xc0})) return {Kind::harmless, 2};                    // xor eax, eax
    if (starts({0x85, 0xd2})) return {Kind::harmless, 2};                    // test edx, edx
    if (starts({0x48, 0x85, 0xff})) return {Kind::harmless, 3};              // test rdi, rdi
    if (starts({0x48, 0x85, 0xf6})) return {Kind::harmless, 3};              // test rsi, rsi
    if (starts({0x48, 0x85, 0xd2})) return {Kind::harmless, 3};              // test rdx, rdx
    if (starts({0x48, 0x83, 0x7f})) return {Kind::harmless, 5};              // cmp qword [rdi+8], imm8
    if (starts({0x83, 0x7f})) return {Kind::harmless, 4};                    // cmp dword [rdi+8], imm8
    if (starts({0x80, 0x7f})) return {Kind::harmless, 4};                    // cmp byte [rdi+8], imm8
    if (starts({0x80, 0xbf})) return {Kind::harmless, 7};                    // cmp byte [rdi+32], imm8
    if (starts({0x64, 0x48, 0x8b, 0x04, 0x25})) return {Kind::harmless, 9};  // mov rax, fs:[...]
    if (starts({0x48, 0x63, 0xd2})) return {Kind::count, 3};                 // movsxd rdx, edx
    if (starts({0x80, 0x3d})) return {Kind::harmless, 7};                    // cmp byte [rip+disp32], imm8
    if (starts({0x64, 0x80, 0x3c, 0x25})) return {Kind::harmless, 9};        // cmp byte fs:[...], imm8
    if (starts({0x45, 0x31, 0xc0})) return {Kind::harmless, 3};              // xor r8d, r8d
    return {};
  }

  Instruction stack() const {
    if ((at(0) & 0xf8) == 0x50 && left_ >= 1) return {Kind::push, 1};
    if (at(0) == 0x41 && (at(1) & 0xf8) == 0x50) return {Kind::push, 2};
    if (starts({0x48, 0x83, 0xec})) return {Kind::harmless, 4};        // sub rsp, imm8
    if (starts({0x48, 0x81, 0xec})) return {Kind::harmless, 7};        // sub rsp, imm32
    if (starts({0x48, 0x89, 0x44, 0x24})) return {Kind::harmless, 5};  // mov [rsp+8], rax
    if (starts({0x48, 0x89, 0x84, 0x24})) return {Kind::harmless, 8};  // mov [rsp+32], rax
    return {};
  }

  Instruction transfer() const {
    if ((at(0) & 0xf0) == 0x70) return {Kind::branch, 2};
    if (at(0) == 0x0f && (at(1) & 0xf0) == 0x80) return {Kind::branch, 6};
    if (at(0) == 0xeb) return {Kind::jump, 2, static_cast<int8_t>(at(1))};
    if ((at(0) != 0xe8 && at(0) != 0xe9) || left_ < 5) return {};
    int32_t distance;
    std::memcpy(&distance, bytes_ + 1, sizeof distance);
    return {at(0) == 0xe8 ? Kind::call : Kind::jump, 5, distance};
  }

  // mov r64, r64 and mov r32, r32: harmless unless an argument is overwritten.
  Instruction move() const {
    const bool extended = (at(0) & 0xf0) == 0x40;  // REX
    const std::size_t prefix = extended ? 1 : 0;
    if (at(prefix) != 0x89 || (at(prefix + 1) & 0xc0) != 0xc0) return {};
    const unsigned into = (at(prefix + 1) & 7U) | (extended && (at(0) & 1) != 0 ? 8U : 0U);
    if (into == 4) return {};  // the stack pointer
    if (!isArgument(into)) return {Kind::harmless, prefix + 2};
    return isCount(into) ? Instruction{Kind::count, prefix + 2} : Instruction{};
  }

  const uint8_t *bytes_;
  std::size_t left_;
};

bool isCheap(Kind kind) {
  return kind == Kind::push || kind == Kind::branch || kind == Kind::jump || kind == Kind::call;
}

}  // namespace

bool startsCheaply(const std::vector<uint8_t> &code) { return isCheap(Decoder(code, 0).next().kind); }

std::optional<std::size_t> cheapPlace(const std::vector<uint8_t> &code) {
  for (std::size_t at = 0; at < code.size();) {
    const Instruction found = Decoder(code, at).next();
    if (isCheap(found.kind)) return at;
    if (found.kind == Kind::unknown) break;
    at += found.length;
  }
  return std::nullopt;
}

std::optional<uint64_t> passesOnTo(const std::vector<uint8_t> &code, uint64_t address) {
  for (std::size_t at = 0; at < code.size();) {
    const Instruction found = Decoder(code, at).next();
    at += found.length;
    if (found.kind == Kind::call || found.kind == Kind::jump) {
      return address + at + static_cast<uint64_t>(found.distance);
    }
    if (found.kind != Kind::harmless && found.kind != Kind::push) break;
  }
  return std::nullopt;
}

std::optional<uint64_t> firstCallee(const std::vector<uint8_t> &code, uint64_t address) {
  for (std::size_t at = 0; at < code.size();) {
    const Instruction found = Decoder(code, at).next();
    at += found.length;
    if (found.kind == Kind::call || found.kind == Kind::jump) {
      return address + at + static_cast<uint64_t>(found.distance);
    }
    if (found.kind == Kind::unknown) break;
  }
  return std::nullopt;
}

}  // namespace aftertrace
