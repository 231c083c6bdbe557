// SPDX-License-Identifier: Apache-2.0
// Zstandard frames, as Parquet's pages hold them. One context for all of a file.
#pragma once

#include <zstd.h>

#include <memory>

#include "bytes.h"

namespace aftertrace {

class Compressor {
 public:
  Compressor();

  // The bytes as one frame, put behind what is in `out`.
  void compress(const Bytes &bytes, int level, Bytes &out);

  // How large a frame they would make.
  std::size_t sizeOf(const uint8_t *bytes, std::size_t size, int level);

  // The same in pieces, so that the whole never lies in memory; `size` is the sum of the pieces.
  void begin(int level, std::size_t size, Bytes &out);
  void add(const void *data, std::size_t size);
  void end();

 private:
  std::size_t compressTo(uint8_t *to, std::size_t room, const uint8_t *bytes, std::size_t size, int level);
  void flush(ZSTD_EndDirective directive);

  struct Free {
    void operator()(ZSTD_CCtx *context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  Bytes *out_ = nullptr;
  Bytes tried_;
  Bytes pending_;  // pieces are small, and a call costs more than copying them
};

}  // namespace aftertrace
