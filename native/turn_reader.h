// SPDX-License-Identifier: Apache-2.0
// Bounded reading of captured bytes. Used by the recogniser only.
#pragma once

#include <algorithm>
#include <cstring>

#include "recognise.h"

namespace aftertrace {

// Reads numbers and texts at given places; what lies outside reads as 0 or ''.
class TurnReader {
 public:
  explicit TurnReader(const TurnBytes &bytes) : data_(bytes.data), size_(bytes.size) {}

  std::size_t size() const { return size_; }
  bool has(std::size_t at, std::size_t length) const { return at <= size_ && length <= size_ - at; }
  uint8_t byte(std::size_t at) const { return at < size_ ? data_[at] : 0; }
  uint32_t big16(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  uint32_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  uint32_t little32(std::size_t at) const {
    return static_cast<uint32_t>(byte(at)) | byte(at + 1) << 8 | byte(at + 2) << 16 |
           static_cast<uint32_t>(byte(at + 3)) << 24;
  }
  std::string_view text(std::size_t at, std::size_t most) const {
    if (at >= size_) return {};
    return {reinterpret_cast<const char *>(data_) + at, std::min(most, size_ - at)};
  }
  bool begins(std::string_view with, std::size_t at = 0) const { return text(at, with.size()) == with; }

 private:
  const uint8_t *data_;
  std::size_t size_;
};

inline bool isLetter(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

inline char upper(char character) {
  return character >= 'a' && character <= 'z' ? static_cast<char>(character - 32) : character;
}

// The letters that `text` begins with, in upper case.
inline std::string upperWord(std::string_view text, std::size_t most) {
  std::string word;
  for (const char character : text) {
    if (!isLetter(character) || word.size() == most) break;
    word += upper(character);
  }
  return word;
}

}  // namespace aftertrace
