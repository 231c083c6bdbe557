// SPDX-License-Identifier: Apache-2.0
// Growing bytes, and numbers in them: little-endian, at any alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace aftertrace {

using Bytes = std::vector<uint8_t>;

template <typename T>
T load(const uint8_t *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
void put(Bytes &out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

inline void put(Bytes &out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

// Seven bits a byte, the lowest first.
inline void putVarint(Bytes &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

inline void putZigzag(Bytes &out, int64_t value) {
  putVarint(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

}  // namespace aftertrace
