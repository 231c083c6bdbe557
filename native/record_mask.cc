// SPDX-License-Identifier: Apache-2.0
#include "record_mask.h"

#include <algorithm>
#include <cstring>

namespace aftertrace {
namespace {

constexpr uint8_t kMask = '*';
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint64_t kLongestBody = 1'000'000'000'000'000;

constexpr std::string_view kStarts[] = {"GET ",   "POST ",    "PUT ",     "HEAD ",  "DELETE ",
                                        "PATCH ", "OPTIONS ", "CONNECT ", "TRACE ", "HTTP/1."};

// As src/http1/start-line.ts: fewer bytes than a start needs may still be one.
bool mayStart(const uint8_t *bytes, std::size_t size) {
  return std::any_of(std::begin(kStarts), std::end(kStarts), [&](std::string_view start) {
    return std::memcmp(bytes, start.data(), std::min(start.size(), size)) == 0;
  });
}

bool isAuthorityEnd(uint8_t byte) {
  return byte == '/' || byte == ' ' || byte == '\r' || byte == '\n' || byte == '?' || byte == '#';
}

// '?', '#', '&' and ';' begin a key; '?' may also be part of one.
bool beginsKey(uint8_t byte, Url url) {
  return byte == '&' || byte == ';' || byte == '#' || (byte == '?' && url != Url::key);
}

// What a path, or a value that is no secret, may go on to something else with.
bool mayTurn(uint8_t byte) {
  switch (byte) {
    case ' ':
    case '\r':
    case '\n':
    case '?':
    case '#':
    case '&':
    case ';':
    case ':':
      return true;
    default:
      return false;
  }
}

bool isBlank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

bool isDigit(char character) { return character >= '0' && character <= '9'; }

// Statuses whose responses have no body: 1xx, 204, 304.
bool isBodiless(std::string_view line) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || !isDigit(line[7]) || line[8] != ' ') {
    return false;
  }
  const std::string_view status = line.substr(9, 3);
  if (!std::all_of(status.begin(), status.end(), isDigit)) return false;
  return status[0] == '1' || status == "204" || status == "304";
}

}  // namespace

void RecordMask::run(uint8_t *bytes, std::size_t size) {
  bytes_ = bytes;
  size_ = size;
  const bool isUrl = state_.phase == Phase::startLine ||
                     (state_.phase == Phase::value && state_.mode == Mode::url);
  if (isUrl && state_.url == Url::authority) maskUserinfo(0);
  for (std::size_t at = 0; at < size;) {
    at = state_.phase == Phase::body ? body(at) : head(at);
  }
}

// Zeroes body bytes up to where a head begins.
std::size_t RecordMask::body(std::size_t at) {
  const auto length = static_cast<std::size_t>(std::min<uint64_t>(state_.left, size_ - at));
  std::memset(bytes_ + at, 0, length);
  state_.left -= length;
  const std::size_t from = at + length;
  if (from == size_) return from;
  if (!mayStart(bytes_ + from, size_ - from)) {
    std::memset(bytes_ + from, 0, size_ - from);
    return size_;
  }
  state_.phase = Phase::startLine;
  state_.mode = Mode::url;
  state_.marking = false;
  state_.url = Url::path;
  state_.startLine.clear();
  state_.length = 0;
  state_.chunked = false;
  // A new head on one side ends what was still expected on the other (HEAD, 304).
  other_.left = 0;
  return from;
}

std::size_t RecordMask::head(std::size_t at) {
  if (bytes_[at] == '\n') {
    endSecret(at);
    endLine();
  } else if (const std::size_t end = urlRun(at); end > at) {
    for (std::size_t i = at; i < end && state_.phase == Phase::startLine; i++) state_.startLine.add(bytes_[i]);
    return end;
  } else if (state_.phase == Phase::startLine) {
    state_.startLine.add(bytes_[at]);
    urlByte(at);
  } else if (state_.phase == Phase::name) {
    return name(at);
  } else if (state_.mode == Mode::plain) {
    return lineEnd(at);
  } else {
    valueByte(at);
  }
  return at + 1;
}

// Where the line feed is, or the end of the bytes.
std::size_t RecordMask::lineEnd(std::size_t at) const {
  const void *found = std::memchr(bytes_ + at, '\n', size_ - at);
  return found == nullptr ? size_ : static_cast<std::size_t>(static_cast<const uint8_t *>(found) - bytes_);
}

void RecordMask::endLine() {
  state_.marking = false;
  if (state_.phase == Phase::name && state_.name.length() == 0) {
    endHead();
  } else {
    state_.phase = Phase::name;
    state_.name.clear();
  }
}

void RecordMask::endHead() {
  const bool bodiless = isBodiless(state_.startLine.view());
  state_.phase = Phase::body;
  state_.left = bodiless || state_.chunked ? 0 : state_.length;
  state_.name.clear();
}

// A name that is here as a whole is judged where it lies; one that is cut is gathered.
std::size_t RecordMask::name(std::size_t at) {
  if (state_.name.length() == 0 && !isBlank(bytes_[at]) && bytes_[at] != ':') {
    const std::size_t most = std::min(size_, at + kLongestName);
    for (std::size_t end = at; end < most && bytes_[end] != '\n' && bytes_[end] != '\r'; end++) {
      if (bytes_[end] != ':') continue;
      endName({reinterpret_cast<const char *>(bytes_ + at), end - at});
      return end + 1;
    }
  }
  nameByte(bytes_[at]);
  return at + 1;
}

void RecordMask::nameByte(uint8_t byte) {
  if (byte == '\r') return;
  if (state_.name.length() == 0 && isBlank(byte)) {
    // A folded line goes on as the one before it.
    state_.phase = Phase::value;
  } else if (byte != ':') {
    state_.name.add(byte);
  } else {
    endName(state_.name.view());
  }
}

void RecordMask::endName(std::string_view name) {
  state_.phase = Phase::value;
  state_.mode = names_.modeOf(name);
  state_.url = Url::path;
  if (state_.mode == Mode::length) state_.length = 0;
  if (state_.mode == Mode::masked || state_.mode == Mode::cookies) beginSecret();
}

void RecordMask::valueByte(std::size_t at) {
  const uint8_t byte = bytes_[at];
  switch (state_.mode) {
    case Mode::masked:
    case Mode::cookies:
      if (byte == '\r' || isBlank(byte)) {
        endSecret(at);
      } else {
        secretByte(at);
      }
      break;
    case Mode::url:
      urlByte(at);
      break;
    case Mode::length:
      if (byte >= '0' && byte <= '9') {
        state_.length = std::min(kLongestBody, state_.length * 10 + byte - '0');
      }
      break;
    case Mode::coding:
      state_.chunked = state_.chunked || byte == 'c' || byte == 'C';  // the c of chunked
      break;
    case Mode::plain:
      break;
  }
}

void RecordMask::urlByte(std::size_t at) {
  const uint8_t byte = bytes_[at];
  schemeByte(byte);
  if (byte == ' ' || byte == '\r') {
    endSecret(at);
    state_.url = Url::path;
  } else if (state_.url == Url::secret && byte != '&') {
    secretByte(at);
  } else if (state_.scheme == 3) {
    state_.url = Url::authority;
    state_.scheme = 0;
    maskUserinfo(at + 1);
  } else if (beginsKey(byte, state_.url)) {
    endSecret(at);
    state_.url = Url::key;
    state_.name.clear();
  } else if (state_.url == Url::key) {
    keyByte(byte);
  } else if (state_.url == Url::authority && byte == '/') {
    state_.url = Url::path;
  }
}

// The end of the bytes from here on that change nothing: most of a URL.
std::size_t RecordMask::urlRun(std::size_t at) const {
  const bool isUrl = state_.phase == Phase::startLine ||
                     (state_.phase == Phase::value && state_.mode == Mode::url);
  if (!isUrl || state_.scheme != 0 || (state_.url != Url::path && state_.url != Url::value)) return at;
  while (at < size_ && !mayTurn(bytes_[at])) at++;
  return at;
}

// Follows "://", which may be cut anywhere.
void RecordMask::schemeByte(uint8_t byte) {
  if (byte == ':') {
    state_.scheme = 1;
  } else if (byte == '/' && state_.scheme > 0) {
    // Behind the third there is nothing to count.
    if (state_.scheme < 4) state_.scheme++;
  } else {
    state_.scheme = 0;
  }
}

void RecordMask::keyByte(uint8_t byte) {
  if (byte != '=') {
    state_.name.add(byte);
    return;
  }
  const std::string_view name = state_.name.view();
  // An encoded key may spell a secret one: in doubt it is one.
  const bool secret = name.size() > kLongestName || name.find('%') != std::string_view::npos ||
                      isSecretName(policy_, policy_.queryKeys, lowered(name));
  state_.url = secret ? Url::secret : Url::value;
  if (secret) beginSecret();
}

void RecordMask::beginSecret() {
  state_.marking = policy_.markKey.has_value();
  state_.inCookieValue = false;
  if (state_.marking) state_.secret.start(*policy_.markKey);
}

// Masks one byte of a secret. In cookies a secret is what stands between '=' and ';'.
void RecordMask::secretByte(std::size_t at) {
  const uint8_t byte = bytes_[at];
  const bool cookies = state_.phase == Phase::value && state_.mode == Mode::cookies;
  if (cookies && byte == ';') {
    endSecret(at);
  } else if (state_.marking) {
    if (cookies && byte == '=' && !state_.inCookieValue) {
      beginSecret();
      state_.inCookieValue = true;
    } else {
      state_.secret.add(byte);
    }
  }
  bytes_[at] = kMask;
}

// Marks the secret that ended before `at`, if its end is in this record; the next may follow.
void RecordMask::endSecret(std::size_t at) {
  if (!state_.marking || state_.secret.length() == 0) return;
  if (state_.secret.length() > kMark && at > kMark) {
    uint64_t hash = state_.secret.finish();
    for (std::size_t i = at - kMark; i < at; i++, hash >>= 6) {
      bytes_[i] = static_cast<uint8_t>(kDigits[hash & 63]);
    }
  }
  beginSecret();
}

// Masks `user:password` of an authority that begins at `from`, if there is one.
void RecordMask::maskUserinfo(std::size_t from) {
  std::size_t end = from;
  while (end < size_ && !isAuthorityEnd(bytes_[end])) end++;
  std::size_t at = end;
  while (at > from && bytes_[at - 1] != '@') at--;
  // Cut before the authority ends: whether credentials follow cannot be seen.
  const std::size_t to = at > from ? at - 1 : end == size_ ? end : from;
  if (to > from) std::memset(bytes_ + from, kMask, to - from);
}

}  // namespace aftertrace
