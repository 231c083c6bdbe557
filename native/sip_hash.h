// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4: a keyed hash of short inputs, 64 bits, that tells nothing without its key
// (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012).
#pragma once

#include <array>
#include <cstdint>

namespace aftertrace {

using SipKey = std::array<uint64_t, 2>;

// Takes its input byte by byte, so that it may be cut anywhere.
class SipHash {
 public:
  void start(const SipKey &key) {
    v_ = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
          key[1] ^ 0x7465646279746573};
    word_ = 0;
    length_ = 0;
  }

  void add(uint8_t byte) {
    word_ |= uint64_t{byte} << 8 * (length_ & 7);
    if ((++length_ & 7) == 0) {
      compress(word_);
      word_ = 0;
    }
  }

  // Bytes added since start().
  uint64_t length() const { return length_; }

  // Ends the input: start() must come before more is added.
  uint64_t finish() {
    compress(word_ | length_ << 56);
    v_[2] ^= 0xff;
    for (int i = 0; i < 4; i++) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  static uint64_t rotated(uint64_t value, int by) { return value << by | value >> (64 - by); }

  void compress(uint64_t word) {
    v_[3] ^= word;
    round();
    round();
    v_[0] ^= word;
  }

  void round() {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = rotated(v_[1], 13) ^ v_[0];
    v_[3] = rotated(v_[3], 16) ^ v_[2];
    v_[0] = rotated(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = rotated(v_[1], 17) ^ v_[2];
    v_[3] = rotated(v_[3], 21) ^ v_[0];
    v_[2] = rotated(v_[2], 32);
  }

  std::array<uint64_t, 4> v_{};
  uint64_t word_ = 0;
  uint64_t length_ = 0;
};

}  // namespace aftertrace
