// SPDX-License-Identifier: Apache-2.0
#include "utf8.h"

#include <cstdint>

namespace aftertrace {
namespace {

// Bytes of the well-formed character that `text` begins with, 0 if there is none.
std::size_t characterAt(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto isTail = [&](std::size_t i) { return byte(i) >> 6 == 2; };
  const uint8_t lead = byte(0);
  const uint8_t next = byte(1);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return isTail(1) ? 2 : 0;
  if (lead < 0xf0) {
    // Neither longer than needed nor half of a surrogate pair.
    const bool fits = lead == 0xe0 ? next >= 0xa0 : lead != 0xed || next < 0xa0;
    return fits && isTail(1) && isTail(2) ? 3 : 0;
  }
  if (lead > 0xf4) return 0;
  const bool fits = lead == 0xf0 ? next >= 0x90 : lead != 0xf4 || next < 0x90;
  return fits && isTail(1) && isTail(2) && isTail(3) ? 4 : 0;
}

}  // namespace

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = characterAt(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string repairedUtf8(std::string_view text) {
  std::string repaired;
  while (!text.empty()) {
    const std::size_t size = characterAt(text);
    if (size == 0) repaired += "\xef\xbf\xbd";
    else repaired.append(text.data(), size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return repaired;
}

}  // namespace aftertrace
