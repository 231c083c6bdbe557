// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "redactor.h"

namespace aftertrace {
namespace {

// toLowerCase() of JavaScript for Latin-1.
char lower(char character) {
  const auto byte = static_cast<uint8_t>(character);
  const bool upper = (byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7);
  return static_cast<char>(upper ? byte + 32 : byte);
}

// trim() of JavaScript for Latin-1.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = "\t\n\v\f\r \xa0";
  const std::size_t from = text.find_first_not_of(kSpaces);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpaces) - from + 1);
}

bool isCookie(std::string_view name) {
  return name == "cookie" || name == "set-cookie" || name == "cookie2" || name == "set-cookie2";
}

// FNV-1a.
uint32_t hashOf(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char character : text) hash = (hash ^ static_cast<uint8_t>(character)) * 16777619u;
  return hash ^ hash >> 15;
}

}  // namespace

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool isSecretName(const RedactionPolicy &policy, const std::unordered_set<std::string> &names,
                  const std::string &lower) {
  return names.count(lower) > 0 ||
         std::any_of(policy.telltales.begin(), policy.telltales.end(),
                     [&](const std::string &part) { return lower.find(part) != std::string::npos; });
}

Mode HeaderNames::modeOf(std::string_view name) {
  if (name.empty() || name.size() > kLongestMemo) return judge(name);
  Entry &entry = memo_[hashOf(name) % kMemo];
  const bool known =
      entry.length == name.size() && std::memcmp(entry.name, name.data(), name.size()) == 0;
  if (!known) {
    entry.length = static_cast<uint8_t>(name.size());
    entry.mode = judge(name);
    name.copy(entry.name, sizeof entry.name);
  }
  return entry.mode;
}

Mode HeaderNames::judge(std::string_view written) const {
  const std::string name = lowered(trimmed(written));
  if (name.size() > kLongestName || isSecretName(policy_, policy_.headers, name)) {
    return isCookie(name) ? Mode::cookies : Mode::masked;
  }
  if (name == "content-length") return Mode::length;
  if (name == "transfer-encoding") return Mode::coding;
  return policy_.urlHeaders.count(name) > 0 ? Mode::url : Mode::plain;
}

}  // namespace aftertrace
