// SPDX-License-Identifier: Apache-2.0
#include "recognise_dns.h"

namespace aftertrace {
namespace {

// RFC 1035, section 4.1.1.
constexpr std::size_t kHeader = 12;
constexpr uint32_t kResponse = 0x8000;
constexpr uint32_t kOpcode = 0x7800;

std::string typeName(uint32_t type) {
  switch (type) {
    case 1:
      return "A";
    case 2:
      return "NS";
    case 5:
      return "CNAME";
    case 6:
      return "SOA";
    case 12:
      return "PTR";
    case 15:
      return "MX";
    case 16:
      return "TXT";
    case 28:
      return "AAAA";
    case 33:
      return "SRV";
    case 65:
      return "HTTPS";
    default:
      return "TYPE" + std::to_string(type);
  }
}

bool isNameByte(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || isLetter(static_cast<char>(byte)) || byte == '-' || byte == '_';
}

}  // namespace

bool recogniseDns(const TurnReader &reader, std::size_t at, std::string &operation) {
  if (!reader.has(at, kHeader + 5)) return false;
  const uint32_t flags = reader.big16(at + 2);
  if ((flags & (kResponse | kOpcode)) != 0 || reader.big16(at + 4) != 1 || reader.big16(at + 6) != 0) {
    return false;
  }
  std::string name;
  std::size_t position = at + kHeader;
  for (;;) {
    const uint8_t length = reader.byte(position++);
    if (length == 0) break;
    // Names in a question are not compressed.
    if (length > 63 || !reader.has(position, length)) return false;
    if (!name.empty()) name += '.';
    for (std::size_t i = 0; i < length; i++) {
      const uint8_t byte = reader.byte(position++);
      name += isNameByte(byte) ? static_cast<char>(byte) : '?';
    }
  }
  if (!reader.has(position, 4)) return false;
  operation = typeName(reader.big16(position)) + " " + (name.empty() ? "." : name);
  return true;
}

}  // namespace aftertrace
