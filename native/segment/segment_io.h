// SPDX-License-Identifier: Apache-2.0
// The files that an encoding reads and writes, plain or as the payload of an age file.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "age_stream.h"
#include "bytes.h"

namespace aftertrace {

// A failed system call on one of the two files.
class IoError : public std::runtime_error {
 public:
  enum Which { input, output };
  IoError(Which which, int error);
  const Which which;
  const int error;
};

// How a file is encrypted: the age header and nonce that it begins with, and the key of its payload.
struct Envelope {
  Bytes header;
  AgeKey key;
};

// Positional reads. Its size is taken once: a file that still grows is seen as it was.
class SegmentInput {
 public:
  SegmentInput(int descriptor, std::optional<Envelope> envelope);

  // Of what it holds in the clear.
  uint64_t size() const { return size_; }
  // @throws IoError, also where the range does not lie in the file any more
  void read(uint64_t offset, void *to, std::size_t size);

 private:
  void readRaw(uint64_t offset, void *to, std::size_t size);
  // The bytes of a chunk of the payload in the clear.
  const Bytes &chunk(uint64_t index);

  const int descriptor_;
  const std::optional<Envelope> envelope_;
  uint64_t raw_ = 0;
  uint64_t size_ = 0;
  std::unique_ptr<AgeStream> stream_;
  uint64_t cached_ = UINT64_MAX;
  Bytes sealed_;
  Bytes open_;
};

// Writes one after the other, and hashes what reaches the disk.
class SegmentOutput {
 public:
  SegmentOutput(int descriptor, std::optional<Envelope> envelope);

  void write(const void *data, std::size_t size);
  void write(const Bytes &bytes) { write(bytes.data(), bytes.size()); }
  // Writes what is still held back and makes all of it survive a power cut. Nothing may follow.
  void finish();

  // Bytes written so far, in the clear: offsets in the file as its readers see it.
  uint64_t position() const { return position_; }
  // Bytes on the disk, after finish().
  uint64_t bytes() const { return bytes_; }
  std::array<uint8_t, 32> sha256();

 private:
  void writeRaw(const Bytes &bytes);

  struct Free {
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
  };
  const int descriptor_;
  std::unique_ptr<EVP_MD_CTX, Free> hash_;
  std::unique_ptr<AgeStream> stream_;
  uint64_t position_ = 0;
  uint64_t bytes_ = 0;
  uint64_t chunks_ = 0;
  Bytes pending_;
  Bytes sealed_;
};

}  // namespace aftertrace
