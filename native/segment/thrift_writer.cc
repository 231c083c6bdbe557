// SPDX-License-Identifier: Apache-2.0
#include "thrift_writer.h"

namespace aftertrace {
namespace {

enum Type : uint8_t { kTrue = 1, kFalse = 2, kByte = 3, kI32 = 5, kI64 = 6, kBinary = 8, kList = 9, kStruct = 12 };

}  // namespace

void ThriftWriter::field(int id, uint8_t type) {
  out_.push_back(static_cast<uint8_t>((id - last_) << 4 | type));
  last_ = id;
}

void ThriftWriter::list(int id, std::size_t count, uint8_t type) {
  field(id, kList);
  if (count < 15) {
    out_.push_back(static_cast<uint8_t>(count << 4 | type));
  } else {
    out_.push_back(0xf0 | type);
    putVarint(out_, count);
  }
}

void ThriftWriter::i8(int id, int8_t value) {
  field(id, kByte);
  out_.push_back(static_cast<uint8_t>(value));
}

void ThriftWriter::i32(int id, int32_t value) {
  field(id, kI32);
  putZigzag(out_, value);
}

void ThriftWriter::i64(int id, int64_t value) {
  field(id, kI64);
  putZigzag(out_, value);
}

void ThriftWriter::boolean(int id, bool value) { field(id, value ? kTrue : kFalse); }

void ThriftWriter::text(int id, std::string_view value) {
  field(id, kBinary);
  element(value);
}

void ThriftWriter::beginStruct(int id) {
  field(id, kStruct);
  beginElement();
}

void ThriftWriter::beginElement() {
  outer_.push_back(last_);
  last_ = 0;
}

void ThriftWriter::endStruct() {
  out_.push_back(0);
  if (outer_.empty()) return;
  last_ = outer_.back();
  outer_.pop_back();
}

void ThriftWriter::beginStructs(int id, std::size_t count) { list(id, count, kStruct); }

void ThriftWriter::beginNumbers(int id, std::size_t count) { list(id, count, kI32); }

void ThriftWriter::number(int32_t value) { putZigzag(out_, value); }

void ThriftWriter::beginTexts(int id, std::size_t count) { list(id, count, kBinary); }

void ThriftWriter::element(std::string_view value) {
  putVarint(out_, value.size());
  put(out_, value);
}

}  // namespace aftertrace
