// SPDX-License-Identifier: Apache-2.0
// Masks secrets in captured bytes on the drain thread, before JavaScript or the disk sees them:
// the same rules as src/recorder/redact.ts, byte for byte (test/recorder/redact-native.test.ts).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "batch.h"
#include "sip_hash.h"

namespace aftertrace {

// What counts as a secret, in lower case Latin-1; see src/recorder/redaction-policy.ts.
struct RedactionPolicy {
  std::unordered_set<std::string> headers;
  std::unordered_set<std::string> queryKeys;
  std::vector<std::string> telltales;  // any name that contains one is a secret
  std::unordered_set<std::string> urlHeaders;
  std::optional<SipKey> markKey;  // what secrets are hashed with; none: they leave no mark
};

enum class Mode : uint8_t { plain, masked, cookies, url, length, coding };

// What to do with the value of a header. Remembers names as they are written: services send the
// same ones over and over, and to judge one takes longer than to pass over the whole line.
class HeaderNames {
 public:
  explicit HeaderNames(const RedactionPolicy &policy) : policy_(policy) {}
  Mode modeOf(std::string_view name);

 private:
  static constexpr std::size_t kMemo = 512;
  static constexpr std::size_t kLongestMemo = 39;
  struct Entry {
    uint8_t length = 0;
    Mode mode = Mode::plain;
    char name[kLongestMemo];
  };
  Mode judge(std::string_view name) const;

  const RedactionPolicy &policy_;
  std::array<Entry, kMemo> memo_;
};

// True where `lower` is one of `names` or contains a telltale.
bool isSecretName(const RedactionPolicy &policy, const std::unordered_set<std::string> &names,
                  const std::string &lower);
std::string lowered(std::string_view text);

enum class Phase : uint8_t { body, startLine, name, value };
enum class Url : uint8_t { path, key, value, secret, authority };

// Longer names cannot be checked, so their values are masked.
constexpr std::size_t kLongestName = 64;

// The mark of a secret: 48 bits of its keyed hash in base64url, in place of its last bytes. A star is
// left before it, so shorter secrets have none. See src/model/secret-mark.ts.
constexpr std::size_t kMark = 8;

// The first bytes of a text that is longer than what may be looked at; length() stops there too.
template <std::size_t kMost>
class Beginning {
 public:
  void clear() { length_ = 0; }
  void add(uint8_t byte) {
    if (length_ < kMost) text_[length_++] = static_cast<char>(byte);
  }
  std::size_t length() const { return length_; }
  std::string_view view() const { return {text_, length_}; }

 private:
  uint8_t length_ = 0;
  char text_[kMost];
};

// Where one direction of a connection stands.
struct StreamState {
  Phase phase = Phase::body;
  Mode mode = Mode::plain;
  Url url = Url::path;
  uint8_t scheme = 0;  // how much of "://" was just read, 0..3
  bool marking = false;  // a secret is being read whose first byte was seen
  bool inCookieValue = false;
  bool chunked = false;
  Beginning<kLongestName + 1> name;
  Beginning<16> startLine;
  uint64_t left = 0;  // body bytes still to come by Content-Length
  uint64_t length = 0;
  int64_t next = -1;  // sequence number of the next byte; -1 unknown
  SipHash secret;  // of the secret's bytes so far
};

class Redactor {
 public:
  explicit Redactor(RedactionPolicy policy) : policy_(std::move(policy)), names_(policy_) {}
  Redactor(const Redactor &) = delete;
  Redactor &operator=(const Redactor &) = delete;

  // Masks one row of the batch in place. Rows must come in the order they were recorded.
  void apply(Batch &batch, std::size_t row);

 private:
  struct ConnectionState {
    StreamState send;
    StreamState receive;
    std::list<uint64_t>::iterator age;
  };

  ConnectionState &stateOf(uint64_t connection);
  void forget(uint64_t connection);
  void passUncaptured(const Batch &batch, std::size_t row);
  void redactRow(Batch &batch, std::size_t row, uint8_t *bytes, std::size_t size);

  const RedactionPolicy policy_;
  HeaderNames names_;
  std::unordered_map<uint64_t, ConnectionState> connections_;
  std::list<uint64_t> ages_;  // the connection seen first is in front
};

}  // namespace aftertrace
