// SPDX-License-Identifier: Apache-2.0
// The distinct values of a column, numbered by first appearance: a dictionary.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace aftertrace {

template <typename T>
class ValueIndex {
 public:
  ValueIndex() : slots_(1024, kEmpty) {}

  // The number of the value.
  uint32_t add(const T &value) {
    for (std::size_t slot = slotOf(value);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == kEmpty) {
        slots_[slot] = static_cast<uint32_t>(values_.size());
        values_.push_back(value);
        if (values_.size() * 2 > slots_.size()) grow();
        return static_cast<uint32_t>(values_.size() - 1);
      }
      if (values_[slots_[slot]] == value) return slots_[slot];
    }
  }

  const std::vector<T> &values() const { return values_; }

 private:
  static constexpr uint32_t kEmpty = UINT32_MAX;

  std::size_t slotOf(const T &value) const {
    // The standard's hash of a number is the number.
    const uint64_t mixed = std::hash<T>{}(value) * 0x9e3779b97f4a7c15;
    return mixed >> 32 & (slots_.size() - 1);
  }

  void grow() {
    slots_.assign(slots_.size() * 2, kEmpty);
    for (uint32_t number = 0; number < values_.size(); number++) {
      std::size_t slot = slotOf(values_[number]);
      while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = number;
    }
  }

  std::vector<uint32_t> slots_;
  std::vector<T> values_;
};

}  // namespace aftertrace
