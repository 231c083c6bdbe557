// SPDX-License-Identifier: Apache-2.0
// The payload of an age file: ChaCha20-Poly1305 over chunks of 64 KiB. The key is made in
// src/store/age.ts. https://github.com/C2SP/C2SP/blob/main/age.md#payload
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "bytes.h"

namespace aftertrace {

using AgeKey = std::array<uint8_t, 32>;

class AgeStream {
 public:
  static constexpr std::size_t kChunk = 64 << 10;
  static constexpr std::size_t kTag = 16;

  explicit AgeStream(const AgeKey &key);

  // The chunk as it is stored, in `sealed`; the last one is marked, so that a cut is noticed.
  void seal(uint64_t index, bool last, const uint8_t *data, std::size_t size, Bytes &sealed);
  // The chunk in the clear, in `open`. False if it is not what was stored at this place.
  bool open(uint64_t index, bool last, const uint8_t *data, std::size_t size, Bytes &open);

 private:
  void begin(uint64_t index, bool last, int encrypt);

  struct Free {
    void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
  };
  const AgeKey key_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

}  // namespace aftertrace
