// SPDX-License-Identifier: Apache-2.0
#include "compressor.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace aftertrace {
namespace {

constexpr std::size_t kStep = 64 << 10;
// Of what is given in pieces: three MB of tables, cleared for every frame, found no more in the heads of a row group.
constexpr int kHashLog = 17;

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result)) throw std::runtime_error(ZSTD_getErrorName(result));
  return result;
}

}  // namespace

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
}

void Compressor::compress(const Bytes &bytes, int level, Bytes &out) {
  const std::size_t at = out.size();
  out.resize(at + ZSTD_compressBound(bytes.size()));
  out.resize(at + compressTo(out.data() + at, out.size() - at, bytes.data(), bytes.size(), level));
}

std::size_t Compressor::sizeOf(const uint8_t *bytes, std::size_t size, int level) {
  tried_.resize(std::max(tried_.size(), ZSTD_compressBound(size)));
  return compressTo(tried_.data(), tried_.size(), bytes, size, level);
}

std::size_t Compressor::compressTo(uint8_t *to, std::size_t room, const uint8_t *bytes, std::size_t size, int level) {
  checked(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
  return checked(ZSTD_compress2(context_.get(), to, room, bytes, size));
}

void Compressor::begin(int level, std::size_t size, Bytes &out) {
  checked(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_hashLog, kHashLog));
  checked(ZSTD_CCtx_setPledgedSrcSize(context_.get(), size));
  out_ = &out;
}

void Compressor::add(const void *data, std::size_t size) {
  put(pending_, std::string_view(static_cast<const char *>(data), size));
  if (pending_.size() >= kStep) flush(ZSTD_e_continue);
}

void Compressor::end() {
  flush(ZSTD_e_end);
  out_ = nullptr;
}

void Compressor::flush(ZSTD_EndDirective directive) {
  ZSTD_inBuffer in{pending_.data(), pending_.size(), 0};
  for (bool done = false; !done;) {
    const std::size_t at = out_->size();
    out_->resize(at + kStep);
    ZSTD_outBuffer room{out_->data() + at, kStep, 0};
    const std::size_t left = checked(ZSTD_compressStream2(context_.get(), &room, &in, directive));
    out_->resize(at + room.pos);
    done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
  }
  pending_.clear();
}

}  // namespace aftertrace
