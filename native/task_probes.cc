// SPDX-License-Identifier: Apache-2.0
#include "task_probes.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "elf_image.h"
#include "process_maps.h"

namespace aftertrace {
namespace {

// Extension modules have a few hundred KiB of code at most.
constexpr uint64_t kMostCode = 4 << 20;
constexpr std::array<uint8_t, 4> kEndbr64{0xf3, 0x0f, 0x1e, 0xfa};
constexpr uint8_t kBnd = 0xf2;

// Offsets by minor version of Python 3, from the headers of CPython (Include/internal, Include/cpython/pystate.h),
// without debugging and with the interpreter's lock.
struct Version {
  uint16_t minor;
  uint16_t interpreter;  // _PyRuntimeState.interpreters.main
  uint16_t threads;      // PyInterpreterState.threads.head, before 3.11 tstate_head
  uint16_t threadId;     // PyThreadState.thread_id
  uint16_t context;      // PyThreadState.context
  uint16_t frame;        // PyThreadState.frame, 3.11 and 3.12 .cframe, later .current_frame
  int16_t indirect;      // _PyCFrame.current_frame; kDirect where there is none
  uint16_t previous;     // PyFrameObject.f_back, later _PyInterpreterFrame.previous
  uint16_t locals;       // .f_localsplus, later .localsplus
  uint16_t owner;        // _PyInterpreterFrame.owner, where frames of the interpreter's own stack are among the others
};
constexpr int16_t kDirect = -1;
constexpr std::array<Version, 5> kVersions{{
    {9, 40, 8, 176, 240, 24, kDirect, 24, 360, 0},
    {10, 40, 8, 176, 240, 24, kDirect, 24, 352, 0},
    {11, 48, 16, 152, 224, 56, 8, 48, 72, 0},
    {12, 48, 72, 136, 208, 56, 0, 8, 72, 70},
    {13, 640, 7344, 152, 208, 72, kDirect, 8, 72, 70},
}};
// PyThreadState.next, in all of them.
constexpr uint16_t kThreadNext = 8;

// Minor version in python3.11 or libpython3.11.so.1.0; 0 in names of other files and of builds with other layouts.
int minorVersion(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.substr(0, 3) == "lib") name.remove_prefix(3);
  constexpr std::string_view kStart = "python3.";
  if (name.substr(0, kStart.size()) != kStart) return 0;
  name.remove_prefix(kStart.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  const std::string_view rest = name.substr(digits);
  if (digits == 0 || digits > 2 || (!rest.empty() && rest.substr(0, 3) != ".so")) return 0;
  return std::atoi(std::string(name.substr(0, digits)).c_str());
}

class Code {
 public:
  Code(uint64_t address, std::vector<uint8_t> bytes) : address_(address), bytes_(std::move(bytes)) {}

  std::size_t size() const { return bytes_.size(); }
  uint64_t address(std::size_t at) const { return address_ + at; }
  uint8_t byte(std::size_t at) const { return at < bytes_.size() ? bytes_[at] : 0; }
  bool isAt(std::size_t at, uint8_t first, uint8_t second) const {
    return byte(at) == first && byte(at + 1) == second;
  }
  int32_t number(std::size_t at) const {
    int32_t value = 0;
    if (at + sizeof value <= bytes_.size()) std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  // What the four bytes at `at`, the last of an instruction, point to.
  uint64_t target(std::size_t at) const {
    return address_ + at + 4 + static_cast<uint64_t>(static_cast<int64_t>(number(at)));
  }
  bool endsWithEndbr(std::size_t at) const {
    return at >= kEndbr64.size() && at <= bytes_.size() &&
           std::equal(kEndbr64.begin(), kEndbr64.end(),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(at - kEndbr64.size()));
  }

 private:
  uint64_t address_;
  std::vector<uint8_t> bytes_;
};

bool contains(const std::vector<uint64_t> &values, uint64_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Entries of the procedure linkage table that jump through one of the slots.
std::vector<uint64_t> findStubs(const Code &code, const std::vector<uint64_t> &slots) {
  std::vector<uint64_t> stubs;
  for (std::size_t at = 0; at + 6 <= code.size(); at++) {
    if (!code.isAt(at, 0xff, 0x25) || !contains(slots, code.target(at + 2))) continue;
    std::size_t start = at;
    stubs.push_back(code.address(start));
    if (start > 0 && code.byte(start - 1) == kBnd) stubs.push_back(code.address(--start));
    if (code.endsWithEndbr(start)) stubs.push_back(code.address(start - kEndbr64.size()));
  }
  return stubs;
}

// mov [base + displacement], rax at `at`, unless its base cannot be told (rsp, r12 and those that calls change).
std::optional<TaskProbe> readStore(const Code &code, std::size_t at) {
  const uint8_t prefix = code.byte(at);
  const uint8_t mode = code.byte(at + 2);
  if ((prefix & 0xfe) != 0x48 || code.byte(at + 1) != 0x89 || (mode & 0x38) != 0) return std::nullopt;
  TaskProbe probe;
  probe.base = static_cast<uint8_t>((mode & 7) | (prefix & 1) << 3);
  constexpr std::array<uint8_t, 5> kSaved{3, 5, 13, 14, 15};
  if (std::find(kSaved.begin(), kSaved.end(), probe.base) == kSaved.end()) return std::nullopt;
  const int32_t displacement = mode >> 6 == 1   ? static_cast<int8_t>(code.byte(at + 3))
                               : mode >> 6 == 2 ? code.number(at + 3)
                                                : -1;
  if (displacement < 0 || displacement > 0xffff) return std::nullopt;
  probe.displacement = static_cast<uint32_t>(displacement);
  return probe;
}

}  // namespace

std::vector<TaskProbe> planTaskProbes(const ElfImage &image) {
  std::vector<TaskProbe> probes;
  if (!image.valid()) return probes;
  const std::vector<uint64_t> slots = image.importSlots("PyContext_CopyCurrent");
  if (slots.empty()) return probes;
  for (const auto &[address, size] : image.codeRanges()) {
    if (size > kMostCode) continue;
    const Code code(address, image.code(address, static_cast<std::size_t>(size)));
    const std::vector<uint64_t> stubs = findStubs(code, slots);
    for (std::size_t at = 0; at + 6 <= code.size(); at++) {
      const bool isCall = code.byte(at) == 0xe8 && contains(stubs, code.target(at + 1));
      const bool isDirect = code.isAt(at, 0xff, 0x15) && contains(slots, code.target(at + 2));
      if (!isCall && !isDirect) continue;
      auto probe = readStore(code, at + (isCall ? 5 : 6));
      const auto offset = image.fileOffset(code.address(at));
      if (!probe || !offset) continue;
      probe->offset = *offset;
      probes.push_back(*probe);
    }
  }
  return probes;
}

uint64_t cookieOf(const TaskProbe &probe, uint32_t tgid) {
  return static_cast<uint64_t>(probe.displacement) << TASK_PROBE_OFFSET_SHIFT |
         static_cast<uint64_t>(probe.base) << TASK_PROBE_REGISTER_SHIFT | tgid;
}

bool mayBePython(const Mapping &mapping) { return minorVersion(mapping.path) != 0; }

std::optional<python_layout> readPythonLayout(const Mapping &mapping, const ElfImage &image) {
  const int minor = minorVersion(mapping.path);
  const auto *const known = std::find_if(kVersions.begin(), kVersions.end(),
                                  [&](const Version &version) { return version.minor == minor; });
  if (known == kVersions.end() || !image.valid()) return std::nullopt;
  const auto runtime = image.variable("_PyRuntime");
  const auto start = image.addressOf(mapping.offset);
  if (!runtime || !start) return std::nullopt;
  python_layout layout = {};
  layout.interpreters = mapping.from - *start + *runtime + known->interpreter;
  layout.threads = known->threads;
  layout.thread_next = kThreadNext;
  layout.thread_id = known->threadId;
  layout.thread_context = known->context;
  layout.thread_frame = known->frame;
  layout.is_indirect = known->indirect != kDirect;
  layout.indirect_frame = static_cast<uint16_t>(std::max<int16_t>(known->indirect, 0));
  layout.frame_previous = known->previous;
  layout.frame_locals = known->locals;
  layout.frame_owner = known->owner;
  return layout;
}

}  // namespace aftertrace
