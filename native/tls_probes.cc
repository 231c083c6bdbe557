// SPDX-License-Identifier: Apache-2.0
#include "tls_probes.h"

#include <map>
#include <optional>

#include "prologue.h"

namespace aftertrace {
namespace {

// As in bpf/lib/tls-state.h.
constexpr uint64_t kSend = 1;
enum class Result : uint64_t { number = 0, out = 1, longNumber = 2 };

uint64_t cookieOf(Result result, uint64_t direction) {
  return static_cast<uint64_t>(result) << 1 | direction;
}

using Functions = std::map<std::string, uint64_t>;

const std::vector<std::string> kNames = {
    "SSL_read",           "SSL_write",          "SSL_read_ex",         "SSL_write_ex",  "SSL_free",
    "SSL_clear",          "gnutls_record_recv", "gnutls_record_send",  "gnutls_record_send2",
    "gnutls_deinit"};

class Plan {
 public:
  explicit Plan(const ElfImage &image) : image_(image) {}

  std::vector<TlsProbe> make(const Functions &functions) {
    functions_ = functions;
    openssl();
    gnutls();
    return std::move(probes_);
  }

 private:
  std::optional<uint64_t> find(const char *name) const {
    const auto found = functions_.find(name);
    return found == functions_.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<uint8_t> code(uint64_t address) const { return image_.code(address, kPrologueBytes); }

  // The return address is where a probe of a return looks for it at the entry only.
  void both(uint64_t address, uint64_t cookie) {
    const auto offset = image_.fileOffset(address);
    if (!offset) return;
    const bool cheap = startsCheaply(code(address));
    probes_.push_back({TlsProgram::call, *offset, cookie, cheap});
    probes_.push_back({TlsProgram::result, *offset, cookie, cheap});
  }

  void forget(const char *name) {
    const auto address = find(name);
    if (!address) return;
    const auto place = cheapPlace(code(*address));
    const auto offset = image_.fileOffset(*address + place.value_or(0));
    if (offset) probes_.push_back({TlsProgram::forget, *offset, 0, place.has_value()});
  }

  // OpenSSL's _ex functions only pass their arguments on to an inner one, which the older forms call
  // too. It begins with a cheap instruction where they do not.
  std::optional<uint64_t> inner(const char *extended) const {
    const auto address = find(extended);
    if (!address) return std::nullopt;
    const auto target = passesOnTo(code(*address), *address);
    if (!target || !startsCheaply(code(*target))) return std::nullopt;
    return target;
  }

  void openssl() {
    if (!find("SSL_read") || !find("SSL_write")) return;
    auto reads = inner("SSL_read_ex");
    auto writes = inner("SSL_write_ex");
    // Were it one function, it would be something that every function calls (profiling).
    if (reads == writes) reads = writes = std::nullopt;
    direction("SSL_read", "SSL_read_ex", reads, 0);
    direction("SSL_write", "SSL_write_ex", writes, kSend);
    forget("SSL_free");
    forget("SSL_clear");
  }

  void direction(const char *plain, const char *extended, std::optional<uint64_t> shared,
                 uint64_t direction) {
    const uint64_t address = *find(plain);
    if (shared) both(*shared, cookieOf(Result::out, direction));
    if (!shared || firstCallee(code(address), address) != shared) {
      both(address, cookieOf(Result::number, direction));
    }
    if (!shared && find(extended)) both(*find(extended), cookieOf(Result::out, direction));
  }

  void gnutls() {
    const auto receives = find("gnutls_record_recv");
    // The older form is a call of the newer one.
    const auto newer = find("gnutls_record_send2");
    const auto sends = newer ? newer : find("gnutls_record_send");
    if (!receives || !sends) return;
    both(*receives, cookieOf(Result::longNumber, 0));
    both(*sends, cookieOf(Result::longNumber, kSend));
    forget("gnutls_deinit");
  }

  const ElfImage &image_;
  Functions functions_;
  std::vector<TlsProbe> probes_;
};

}  // namespace

std::vector<TlsProbe> planTlsProbes(const ElfImage &image, bool all) {
  if (!image.valid()) return {};
  auto probes = Plan(image).make(image.functions(kNames, ElfImage::Table::exported));
  if (probes.empty() && all) {
    probes = Plan(image).make(image.functions(kNames, ElfImage::Table::all));
  }
  return probes;
}

}  // namespace aftertrace
