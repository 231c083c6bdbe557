// SPDX-License-Identifier: Apache-2.0
#include "v8_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "elf_image.h"
#include "mapped_file.h"
#include "probe.h"
#include "process_maps.h"
#include "prologue.h"
#include "tls_target.h"

namespace aftertrace {
namespace {

const std::string kIsolate = "_ZN2v88internal18g_current_isolate_E";
const std::string kIsolateRoot = "_ZN2v88internal17ExternalReference12isolate_rootEPNS0_7IsolateE";
const std::string kRunMicrotasks = "Builtins_RunMicrotasks";
const std::string kRecordWrite = "Builtins_RecordWriteSaveFP";
const std::string kCollect =
    "_ZN2v88internal4Heap24PerformGarbageCollectionENS0_16GarbageCollectorENS0_23GarbageCollectionReasonEPKc";
const std::string kCollected =
    "_ZN2v88internal4Heap23CallGCEpilogueCallbacksENS_6GCTypeENS_15GCCallbackFlagsENS0_8GCTracer5Scope7ScopeIdE";
// What TCPWraps are constructed with, and asyncReset() of JavaScript; what this then calls, in Node 20 and in newer ones.
const std::string kConstruct =
    "_ZN4node14ConnectionWrapINS_7TCPWrapE8uv_tcp_sEC1EPNS_11EnvironmentEN2v85LocalINS6_6ObjectEEENS_9AsyncWrap12"
    "ProviderTypeE";
const std::string kReset = "_ZN4node9AsyncWrap10AsyncResetERKN2v820FunctionCallbackInfoINS1_5ValueEEE";
const std::array<std::string, 2> kResetCallees{"_ZN4node9AsyncWrap10AsyncResetEN2v85LocalINS1_6ObjectEEEdb",
                                               "_ZN4node9AsyncWrap10AsyncResetEN2v85LocalINS1_6ObjectEEEd"};
const std::string kConnect = "uv__tcp_connect";
const std::string kCallable = "v8dbg_type_CallableTask__CALLABLE_TASK_TYPE";
const std::string kContextSlots = "v8dbg_context_min_slots";

// Numbers that V8 gives to debuggers, and where they go. Of those for one field any will do.
struct Number {
  const char *name;
  uint16_t v8_layout::*field;
};
constexpr std::array<Number, 12> kNumbers{{
    {"v8dbg_class_Map__instance_type__uint16_t", &v8_layout::instance_type},
    {"v8dbg_class_JSFunction__context__Context", &v8_layout::context},
    {"v8dbg_type_PromiseFulfillReactionJobTask__PROMISE_FULFILL_REACTION_JOB_TASK_TYPE", &v8_layout::fulfill_job},
    {"v8dbg_type_PromiseRejectReactionJobTask__PROMISE_REJECT_REACTION_JOB_TASK_TYPE", &v8_layout::reject_job},
    {"v8dbg_type_PromiseResolveThenableJobTask__PROMISE_RESOLVE_THENABLE_JOB_TASK_TYPE", &v8_layout::thenable_job},
    {"v8dbg_type_JSFunction__JS_FUNCTION_TYPE", &v8_layout::function},
    {"v8dbg_type_JSAsyncFunctionObject__JS_ASYNC_FUNCTION_OBJECT_TYPE", &v8_layout::async_function},
    {"v8dbg_type_JSAsyncGeneratorObject__JS_ASYNC_GENERATOR_OBJECT_TYPE", &v8_layout::async_generator},
    {"v8dbg_type_AsyncGeneratorRequest__ASYNC_GENERATOR_REQUEST_TYPE", &v8_layout::generator_request},
    {"v8dbg_type_JSPromise__JS_PROMISE_TYPE", &v8_layout::promise},
    {"v8dbg_type_PromiseCapability__PROMISE_CAPABILITY_TYPE", &v8_layout::capability},
    {"v8dbg_type_PromiseReaction__PROMISE_REACTION_TYPE", &v8_layout::reaction},
}};

constexpr uint32_t kMostNumber = 0xffff;
// What contexts hold before their slots: length, scope, previous context. bpf/lib/async-roots.h counts on it.
constexpr uint32_t kContextSlotsAt = 2;
constexpr std::size_t kMicrotasksBytes = 4096;
constexpr std::size_t kBarrierBytes = 128;
constexpr std::size_t kResetBytes = 512;
// How far behind a microtask's store its kind is looked at.
constexpr std::size_t kNear = 64;
// How far behind that the branch for the first kind begins.
constexpr std::size_t kKinds = 128;
constexpr std::size_t kRootStoreBytes = 7;
// Pages of the heap begin at multiples of 256 KiB; the flags FROM_PAGE and TO_PAGE mark young ones.
constexpr int32_t kPageMask = ~0x3ffff;
constexpr uint8_t kYoung = 0x18;

using Code = std::vector<uint8_t>;

template <typename T>
T numberAt(const Code &code, std::size_t at) {
  T value = 0;
  if (at + sizeof value <= code.size()) std::memcpy(&value, code.data() + at, sizeof value);
  return value;
}

// mov [r13 + disp32], reg: what it stores and where.
struct RootStore {
  uint8_t reg;
  int32_t displacement;
};

std::optional<RootStore> rootStoreAt(const Code &code, std::size_t at) {
  const bool is = at + kRootStoreBytes <= code.size() && (code[at] & 0xfb) == 0x49 && code[at + 1] == 0x89 &&
                  (code[at + 2] & 0xc7) == 0x85;
  if (!is) return std::nullopt;
  const uint8_t reg = static_cast<uint8_t>((code[at + 2] >> 3 & 7) | (code[at] & 4) << 1);
  return RootStore{reg, numberAt<int32_t>(code, at + 3)};
}

// mov reg, [base + disp8]: the displacement.
std::optional<int8_t> loadAt(const Code &code, std::size_t at, uint8_t base) {
  const bool is = at + 4 <= code.size() && (code[at] & 0xfa) == 0x48 && (code[at] & 1) == base >> 3 &&
                  code[at + 1] == 0x8b && (code[at + 2] & 0xc7) == (0x40 | (base & 7)) && (base & 7) != 4;
  if (!is) return std::nullopt;
  return static_cast<int8_t>(code[at + 3]);
}

// cmp reg, imm32
bool comparesWith(const Code &code, std::size_t at, uint32_t value) {
  return at + 7 <= code.size() && (code[at] & 0xfe) == 0x40 && code[at + 1] == 0x81 &&
         (code[at + 2] & 0xf8) == 0xf8 && numberAt<uint32_t>(code, at + 3) == value;
}

struct Microtask {
  int32_t displacement;  // from the root register to the one that runs
  uint16_t preserved;    // as in v8_layout
};

// Where the loop stores each microtask just before it looks what kind it is, and once more when there is none left.
// What it then loads of one first is its context: word 2, behind what the embedder preserves.
std::optional<Microtask> findMicrotask(const Code &code, uint32_t callableTask) {
  std::size_t at = 0;
  std::optional<RootStore> store;
  while (at < code.size() && !(store = rootStoreAt(code, at))) at++;
  if (!store || store->displacement <= 0 || store->displacement % 8 != 0) return std::nullopt;
  const std::size_t behind = at + kRootStoreBytes;
  std::size_t kindAt = 0;
  bool loadsMap = false;
  for (std::size_t next = behind; next < behind + kNear && kindAt == 0; next++) {
    loadsMap = loadsMap || loadAt(code, next, store->reg) == -1;
    if (loadsMap && comparesWith(code, next, callableTask)) kindAt = next;
  }
  if (kindAt == 0) return std::nullopt;
  std::optional<int8_t> context;
  for (std::size_t next = kindAt; next < kindAt + kKinds && !context; next++) {
    context = loadAt(code, next, store->reg);
  }
  if (context != 15 && context != 23) return std::nullopt;
  for (std::size_t next = behind; next < code.size(); next++) {
    const auto other = rootStoreAt(code, next);
    if (other && other->displacement == store->displacement) {
      return Microtask{store->displacement, static_cast<uint16_t>(*context == 23)};
    }
  }
  return std::nullopt;
}

// lea rax, [rdi + disp32]; ret: from the isolate to what the root register holds.
std::optional<int32_t> findRoot(const Code &code) {
  constexpr std::array<uint8_t, 3> kLea{0x48, 0x8d, 0x87};
  const std::size_t at = code.size() > 4 && code[0] == 0x55 ? 4 : 0;  // behind push rbp; mov rbp, rsp
  if (at + 8 > code.size() || !std::equal(kLea.begin(), kLea.end(), code.begin() + static_cast<std::ptrdiff_t>(at))) {
    return std::nullopt;
  }
  return numberAt<int32_t>(code, at + 3);
}

// and reg, page mask; test byte [reg + disp8], young: how the write barrier asks whether an object is young.
std::optional<uint16_t> findPageFlags(const Code &code) {
  for (std::size_t at = 0; at + 11 <= code.size(); at++) {
    const bool masks = code[at] == 0x48 && code[at + 1] == 0x81 && (code[at + 2] & 0xf8) == 0xe0 &&
                       numberAt<int32_t>(code, at + 3) == kPageMask;
    if (!masks) continue;
    const uint8_t reg = code[at + 2] & 7;
    if (reg == 4 || reg == 5 || code[at + 7] != 0xf6) continue;
    if (code[at + 8] == reg && code[at + 9] == kYoung) return 0;
    if (code[at + 8] == (0x40 | reg) && code[at + 10] == kYoung && code[at + 9] < 0x80) return code[at + 9];
  }
  return std::nullopt;
}

// Where this code first calls, or jumps to, a function: the kernel emulates both.
std::optional<uint64_t> findCall(const Code &code, uint64_t address, uint64_t callee) {
  for (std::size_t at = 0; at + 5 <= code.size(); at++) {
    const uint64_t behind = address + at + 5;
    const bool isCall = code[at] == 0xe8 || code[at] == 0xe9;
    if (isCall && behind + static_cast<uint64_t>(int64_t{numberAt<int32_t>(code, at + 1)}) == callee) return address + at;
  }
  return std::nullopt;
}

std::vector<std::string> wantedNames() {
  std::vector<std::string> names{kIsolate, kIsolateRoot, kRunMicrotasks, kRecordWrite,
                                 kCollect, kCollected,   kCallable,      kContextSlots};
  for (const Number &number : kNumbers) names.emplace_back(number.name);
  return names;
}

class Reader {
 public:
  explicit Reader(const ElfImage &image) : image_(image), values_(image.values(wantedNames())) {}

  bool complete() const { return values_.size() == wantedNames().size(); }
  uint64_t value(const std::string &name) const { return values_.at(name); }
  Code code(const std::string &name, std::size_t size) const { return image_.code(value(name), size); }
  std::optional<uint32_t> number(const std::string &name) const { return image_.initial(value(name)); }
  // The place in the file of a function that begins with an instruction which the kernel emulates.
  std::optional<uint64_t> place(const std::string &name) const {
    if (!startsCheaply(code(name, kPrologueBytes))) return std::nullopt;
    return image_.fileOffset(value(name));
  }

 private:
  const ElfImage &image_;
  const std::map<std::string, uint64_t> values_;
};

bool fillNumbers(const Reader &reader, v8_layout &layout) {
  for (const auto &[name, field] : kNumbers) {
    const auto number = reader.number(name);
    if (!number || *number == 0 || *number > kMostNumber) return false;
    layout.*field = static_cast<uint16_t>(*number);
  }
  return reader.number(kContextSlots) == kContextSlotsAt;
}

// Without these it is only not known which connection was given to which request.
void planConnections(const ElfImage &image, V8Plan &plan) {
  const auto values = image.values({kConstruct, kConnect, kReset, kResetCallees[0], kResetCallees[1]});
  const auto place = [&](const std::string &name) -> std::optional<uint64_t> {
    const auto found = values.find(name);
    if (found == values.end() || !startsCheaply(image.code(found->second, kPrologueBytes))) return std::nullopt;
    return image.fileOffset(found->second);
  };
  const auto construct = place(kConstruct);
  const auto connect = place(kConnect);
  const auto reset = values.find(kReset);
  if (!construct || !connect || reset == values.end()) return;
  for (const std::string &name : kResetCallees) {
    const auto callee = values.find(name);
    if (callee == values.end()) continue;
    const auto call = findCall(image.code(reset->second, kResetBytes), reset->second, callee->second);
    const auto at = call ? image.fileOffset(*call) : std::nullopt;
    if (at) plan.connections = V8Plan::Connections{*construct, *at, *connect};
  }
}

// The mapping of the program itself.
std::optional<Mapping> programOf(uint32_t tgid) {
  std::optional<Mapping> found;
  forEachMapping(static_cast<pid_t>(tgid), [&](const Mapping &mapping) {
    if (isMainProgram(mapping)) found = mapping;
    return !found;
  });
  return found;
}

std::optional<V8Plan> planOf(const std::optional<Mapping> &program) {
  return program ? planV8(MappedFile(*program).image()) : std::nullopt;
}

}  // namespace

std::optional<V8Plan> planV8(const ElfImage &image) {
  if (!image.valid()) return std::nullopt;
  const Reader reader(image);
  if (!reader.complete()) return std::nullopt;
  const auto callable = reader.number(kCallable);
  const auto root = findRoot(reader.code(kIsolateRoot, kPrologueBytes));
  const auto microtask =
      callable ? findMicrotask(reader.code(kRunMicrotasks, kMicrotasksBytes), *callable) : std::nullopt;
  const auto pageFlags = findPageFlags(reader.code(kRecordWrite, kBarrierBytes));
  const auto isolate = image.fromThreadPointer(reader.value(kIsolate));
  const auto begins = reader.place(kCollect);
  const auto ends = reader.place(kCollected);
  if (!root || !microtask || !pageFlags || !isolate || !begins || !ends) return std::nullopt;
  if (*root < 0 || *root + microtask->displacement > static_cast<int32_t>(kMostNumber)) return std::nullopt;
  V8Plan plan;
  if (!fillNumbers(reader, plan.layout)) return std::nullopt;
  plan.layout.isolate = static_cast<int32_t>(*isolate);
  plan.layout.microtask = static_cast<uint16_t>(*root + microtask->displacement);
  plan.layout.preserved = microtask->preserved;
  plan.layout.page_flags = *pageFlags;
  plan.layout.young = kYoung;
  plan.collectionBegins = *begins;
  plan.collectionEnds = *ends;
  planConnections(image, plan);
  return plan;
}

bool hasV8(uint32_t tgid) { return planOf(programOf(tgid)).has_value(); }

std::vector<bpf_link *> probeV8(uint32_t tgid, uint32_t life, const V8Programs &programs) {
  KernelLog log;
  std::vector<bpf_link *> links;
  // What was known of an earlier process of this number.
  bpf_map__delete_elem(programs.layouts, &tgid, sizeof tgid, 0);
  const auto program = programOf(tgid);
  auto plan = planOf(program);
  if (!plan) return links;
  plan->layout.life = life;
  const MappedFile file(*program);
  file.probe(programs.begins, plan->collectionBegins, tgid, links);
  file.probe(programs.ends, plan->collectionEnds, tgid, links);
  if (links.size() == 2) {
    if (plan->connections) {
      file.probe(programs.wrapReset, plan->connections->construct, tgid, links);
      file.probe(programs.wrapReset, plan->connections->reset, tgid, links);
      file.probe(programs.handleConnects, plan->connections->connect, tgid, links);
    }
    bpf_map__update_elem(programs.layouts, &tgid, sizeof tgid, &plan->layout, sizeof plan->layout, BPF_ANY);
    return links;
  }
  // Without both, what is known of a root could be told of another object in its place.
  removeProbes(links);
  return {};
}

}  // namespace aftertrace
