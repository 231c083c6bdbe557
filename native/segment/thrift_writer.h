// SPDX-License-Identifier: Apache-2.0
// Thrift's compact protocol, as far as Parquet's page headers and footer need it.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
#pragma once

#include "bytes.h"

namespace aftertrace {

// Fields of a struct must be written in rising order of their ids, at most 15 apart.
class ThriftWriter {
 public:
  explicit ThriftWriter(Bytes &out) : out_(out) {}

  void i8(int id, int8_t value);
  void i32(int id, int32_t value);
  void i64(int id, int64_t value);
  void boolean(int id, bool value);
  void text(int id, std::string_view value);

  // A field that holds a struct; its fields follow, then endStruct().
  void beginStruct(int id);
  // Ends the struct at hand: a field, an element of a list, or the outermost.
  void endStruct();

  void beginStructs(int id, std::size_t count);
  // An element of the list; its fields follow, then endStruct().
  void beginElement();
  void beginNumbers(int id, std::size_t count);
  void number(int32_t value);
  void beginTexts(int id, std::size_t count);
  void element(std::string_view value);

 private:
  void field(int id, uint8_t type);
  void list(int id, std::size_t count, uint8_t type);

  Bytes &out_;
  int last_ = 0;
  std::vector<int> outer_;
};

}  // namespace aftertrace
