// SPDX-License-Identifier: Apache-2.0
// Well-formed UTF-8 as the Unicode standard has it (table 3-7): other readers refuse a whole file for
// one bad byte. What src/store/text.ts does for the open segment.
#pragma once

#include <string>
#include <string_view>

namespace aftertrace {

bool isUtf8(std::string_view text);

// The text with U+FFFD in the place of each byte that belongs to no character.
std::string repairedUtf8(std::string_view text);

}  // namespace aftertrace
