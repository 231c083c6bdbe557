// SPDX-License-Identifier: Apache-2.0
// One record's bytes, masked in place. Used by redactor.cc only.
#pragma once

#include "redactor.h"

namespace aftertrace {

class RecordMask {
 public:
  RecordMask(const RedactionPolicy &policy, HeaderNames &names, StreamState &state,
             StreamState &other)
      : policy_(policy), names_(names), state_(state), other_(other) {}
  void run(uint8_t *bytes, std::size_t size);

 private:
  std::size_t body(std::size_t at);
  std::size_t head(std::size_t at);
  std::size_t lineEnd(std::size_t at) const;
  void endLine();
  void endHead();
  std::size_t name(std::size_t at);
  void nameByte(uint8_t byte);
  void endName(std::string_view name);
  void valueByte(std::size_t at);
  void urlByte(std::size_t at);
  std::size_t urlRun(std::size_t at) const;
  void schemeByte(uint8_t byte);
  void keyByte(uint8_t byte);
  void beginSecret();
  void secretByte(std::size_t at);
  void endSecret(std::size_t at);
  void maskUserinfo(std::size_t from);

  const RedactionPolicy &policy_;
  HeaderNames &names_;
  StreamState &state_;
  StreamState &other_;
  uint8_t *bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aftertrace
