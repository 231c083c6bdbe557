// SPDX-License-Identifier: Apache-2.0
#include "segment_io.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace aftertrace {
namespace {

constexpr std::size_t kSealed = AgeStream::kChunk + AgeStream::kTag;

}  // namespace

IoError::IoError(Which which, int error)
    : std::runtime_error(strerrordesc_np(error)), which(which), error(error) {}

SegmentInput::SegmentInput(int descriptor, std::optional<Envelope> envelope)
    : descriptor_(descriptor), envelope_(std::move(envelope)) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) throw IoError(IoError::input, errno);
  raw_ = static_cast<uint64_t>(status.st_size);
  if (!envelope_) {
    size_ = raw_;
    return;
  }
  stream_ = std::make_unique<AgeStream>(envelope_->key);
  const uint64_t payload = raw_ - std::min<uint64_t>(raw_, envelope_->header.size());
  const uint64_t rest = payload % kSealed;
  size_ = payload / kSealed * AgeStream::kChunk + (rest > AgeStream::kTag ? rest - AgeStream::kTag : 0);
}

void SegmentInput::readRaw(uint64_t offset, void *to, std::size_t size) {
  auto *at = static_cast<uint8_t *>(to);
  while (size > 0) {
    const ssize_t count = pread(descriptor_, at, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw IoError(IoError::input, errno);
    if (count == 0) throw IoError(IoError::input, ENODATA);
    at += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

const Bytes &SegmentInput::chunk(uint64_t index) {
  if (index == cached_) return open_;
  const uint64_t at = envelope_->header.size() + index * kSealed;
  const std::size_t length = std::min<uint64_t>(kSealed, raw_ - at);
  sealed_.resize(length);
  readRaw(at, sealed_.data(), length);
  // The last chunk of a file whose writer died is one like the others.
  const bool isLast = at + length == raw_;
  if (!stream_->open(index, false, sealed_.data(), length, open_) &&
      !(isLast && stream_->open(index, true, sealed_.data(), length, open_))) {
    cached_ = UINT64_MAX;
    throw IoError(IoError::input, EBADMSG);
  }
  cached_ = index;
  return open_;
}

void SegmentInput::read(uint64_t offset, void *to, std::size_t size) {
  if (offset > size_ || size_ - offset < size) throw IoError(IoError::input, ENODATA);
  if (!envelope_) return readRaw(offset, to, size);
  auto *at = static_cast<uint8_t *>(to);
  while (size > 0) {
    const Bytes &bytes = chunk(offset / AgeStream::kChunk);
    const std::size_t from = offset % AgeStream::kChunk;
    const std::size_t count = std::min(size, bytes.size() - from);
    std::memcpy(at, bytes.data() + from, count);
    at += count;
    offset += count;
    size -= count;
  }
}

SegmentOutput::SegmentOutput(int descriptor, std::optional<Envelope> envelope)
    : descriptor_(descriptor), hash_(EVP_MD_CTX_new()) {
  if (!hash_) throw std::bad_alloc();
  if (EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL refused SHA-256");
  }
  if (!envelope) return;
  stream_ = std::make_unique<AgeStream>(envelope->key);
  writeRaw(envelope->header);
}

void SegmentOutput::writeRaw(const Bytes &bytes) {
  if (EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size()) != 1) {
    throw std::runtime_error("OpenSSL refused SHA-256");
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw IoError(IoError::output, errno);
    done += static_cast<std::size_t>(count);
  }
  bytes_ += bytes.size();
}

void SegmentOutput::write(const void *data, std::size_t size) {
  const auto *from = static_cast<const uint8_t *>(data);
  position_ += size;
  while (size > 0) {
    // A full chunk waits for more: whether it is the last is only known then.
    if (pending_.size() == AgeStream::kChunk) {
      if (stream_) {
        stream_->seal(chunks_++, false, pending_.data(), pending_.size(), sealed_);
        writeRaw(sealed_);
      } else {
        writeRaw(pending_);
      }
      pending_.clear();
    }
    const std::size_t count = std::min(size, AgeStream::kChunk - pending_.size());
    pending_.insert(pending_.end(), from, from + count);
    from += count;
    size -= count;
  }
}

void SegmentOutput::finish() {
  if (stream_) {
    stream_->seal(chunks_++, true, pending_.data(), pending_.size(), sealed_);
    writeRaw(sealed_);
  } else {
    writeRaw(pending_);
  }
  pending_.clear();
  if (fsync(descriptor_) != 0) throw IoError(IoError::output, errno);
}

std::array<uint8_t, 32> SegmentOutput::sha256() {
  std::array<uint8_t, 32> digest;
  if (EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL refused SHA-256");
  }
  return digest;
}

}  // namespace aftertrace
