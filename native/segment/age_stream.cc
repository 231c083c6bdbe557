// SPDX-License-Identifier: Apache-2.0
#include "age_stream.h"

#include <new>
#include <stdexcept>

namespace aftertrace {
namespace {

void require(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL refused ChaCha20-Poly1305");
}

}  // namespace

AgeStream::AgeStream(const AgeKey &key) : key_(key), context_(EVP_CIPHER_CTX_new()) {
  if (!context_) throw std::bad_alloc();
}

// The nonce: the number of the chunk, big-endian in eleven bytes, then 1 for the last.
void AgeStream::begin(uint64_t index, bool last, int encrypt) {
  uint8_t nonce[12] = {};
  for (int i = 0; i < 8; i++) nonce[10 - i] = static_cast<uint8_t>(index >> 8 * i);
  nonce[11] = last ? 1 : 0;
  require(EVP_CipherInit_ex(context_.get(), EVP_chacha20_poly1305(), nullptr, key_.data(), nonce,
                            encrypt));
}

void AgeStream::seal(uint64_t index, bool last, const uint8_t *data, std::size_t size,
                     Bytes &sealed) {
  begin(index, last, 1);
  sealed.resize(size + kTag);
  int length = 0;
  require(EVP_CipherUpdate(context_.get(), sealed.data(), &length, data, static_cast<int>(size)));
  require(EVP_CipherFinal_ex(context_.get(), sealed.data() + length, &length));
  require(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, sealed.data() + size));
}

bool AgeStream::open(uint64_t index, bool last, const uint8_t *data, std::size_t size, Bytes &open) {
  if (size < kTag) return false;
  begin(index, last, 0);
  open.resize(size - kTag);
  Bytes tag(data + size - kTag, data + size);
  int length = 0;
  require(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()));
  require(EVP_CipherUpdate(context_.get(), open.data(), &length, data,
                           static_cast<int>(size - kTag)));
  return EVP_CipherFinal_ex(context_.get(), open.data() + length, &length) == 1;
}

}  // namespace aftertrace
