// SPDX-License-Identifier: Apache-2.0
// Growing bytes, and numbers in them: little-endian, at any alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace aftertrace {

// Leaves what resize() adds unset: it is written at once, and setting it first is a pass over memory.
template <typename T>
struct Unset : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = Unset<U>;
  };
  Unset() = default;
  template <typename U>
  Unset(const Unset<U> &) {}
  template <typename U>
  void construct(U *at) {
    ::new (static_cast<void *>(at)) U;
  }
  template <typename U, typename... Values>
  void construct(U *at, Values &&...values) {
    ::new (static_cast<void *>(at)) U(std::forward<Values>(values)...);
  }
};

template <typename T>
using UnsetVector = std::vector<T, Unset<T>>;

using Bytes = UnsetVector<uint8_t>;

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

// Not by insert(): with an allocator of its own a vector takes bytes one by one.
inline void put(Bytes &out, std::string_view text) {
  if (text.empty()) return;
  const std::size_t at = out.size();
  out.resize(at + text.size());
  std::memcpy(out.data() + at, text.data(), text.size());
}

// Seven bits a byte, the lowest first.
inline void putVarint(Bytes &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

inline void putZigzag(Bytes &out, int64_t value) {
  putVarint(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

}  // namespace aftertrace
