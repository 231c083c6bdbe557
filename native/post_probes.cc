// SPDX-License-Identifier: Apache-2.0
#include "post_probes.h"

#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "probe.h"
#include "process_maps.h"
#include "prologue.h"

namespace aftertrace {
namespace {

// MessagePortData::AddToIncomingQueue(shared_ptr<Message>): a class that is not trivial is passed by its address.
const std::string kPost = "_ZN4node6worker15MessagePortData18AddToIncomingQueueESt10shared_ptrINS0_7MessageEE";
// Message::Deserialize(Environment *, Local<Context>, Local<Value> *)
const std::string kTake =
    "_ZN4node6worker7Message11DeserializeEPNS_11EnvironmentEN2v85LocalINS4_7ContextEEEPNS5_INS4_5ValueEEE";
// Who calls them: SiblingGroup::Dispatch() with a string of either ABI, and MessagePort::ReceiveMessage().
const std::string kDispatch =
    "_ZN4node6worker12SiblingGroup8DispatchEPNS0_15MessagePortDataESt10shared_ptrINS0_7MessageEE"
    "PNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
const std::string kDispatchOld =
    "_ZN4node6worker12SiblingGroup8DispatchEPNS0_15MessagePortDataESt10shared_ptrINS0_7MessageEEPSs";
const std::string kReceive =
    "_ZN4node6worker11MessagePort14ReceiveMessageEN2v85LocalINS2_7ContextEEE"
    "NS1_21MessageProcessingModeEPNS3_INS2_5ValueEEE";
// Bytes of a caller that are looked through for the call; real ones have it in the first 600.
constexpr std::size_t kCallerBytes = 2048;
constexpr std::size_t kMostPlans = 64;

// True where a direct call in the function at `caller` leads to `callee`: so it was not inlined there.
bool calls(const ElfImage &image, uint64_t caller, uint64_t callee) {
  const std::vector<uint8_t> code = image.code(caller, kCallerBytes);
  for (std::size_t at = 0; at + 5 <= code.size(); at++) {
    if (code[at] != 0xe8) continue;
    int32_t distance;
    std::memcpy(&distance, code.data() + at + 1, sizeof distance);
    if (caller + at + 5 + static_cast<uint64_t>(static_cast<int64_t>(distance)) == callee) return true;
  }
  return false;
}

std::optional<uint64_t> cheapOffset(const ElfImage &image, uint64_t function) {
  const auto place = cheapPlace(image.code(function, kPrologueBytes));
  return place ? image.fileOffset(function + *place) : std::nullopt;
}

PostPlan refuse(const char *why) {
  PostPlan plan;
  plan.refused = why;
  return plan;
}

bool mayBeNode(const Mapping &mapping) {
  const std::string_view path = mapping.path;
  return path.substr(path.rfind('/') + 1).substr(0, 10) == "libnode.so" || isMainProgram(mapping);
}

}  // namespace

PostPlan planPostProbes(const ElfImage &image) {
  const auto found = image.valid() ? image.functions({kPost, kTake, kDispatch, kDispatchOld, kReceive},
                                                     ElfImage::Table::exported)
                                   : std::map<std::string, uint64_t>{};
  const auto addressOf = [&](const std::string &name) -> std::optional<uint64_t> {
    const auto at = found.find(name);
    return at == found.end() ? std::nullopt : std::optional<uint64_t>(at->second);
  };
  const auto post = addressOf(kPost);
  const auto take = addressOf(kTake);
  auto dispatch = addressOf(kDispatch);
  if (!dispatch) dispatch = addressOf(kDispatchOld);
  const auto receive = addressOf(kReceive);
  if (!post || !take || !dispatch || !receive) return refuse("this build does not export what posts messages");
  if (!calls(image, *dispatch, *post) || !calls(image, *receive, *take)) {
    return refuse("what posts messages was compiled in an unknown way");
  }
  const auto posted = cheapOffset(image, *post);
  const auto taken = cheapOffset(image, *take);
  if (!posted || !taken) return refuse("what posts messages begins with instructions that are dear to probe");
  return {*posted, *taken, ""};
}

const PostPlan &PostPlans::planOf(const MappedFile &file) {
  struct stat facts = {};
  fstat(file.descriptor(), &facts);
  const FileKey key{facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
  const auto known = plans_.find(key);
  if (known != plans_.end()) return known->second;
  if (plans_.size() >= kMostPlans) plans_.clear();
  return plans_.emplace(key, planPostProbes(file.image())).first->second;
}

template <typename Visit>
std::string PostPlans::search(uint32_t tgid, Visit visit) {
  std::string refused = "its program could not be read";
  forEachMapping(static_cast<pid_t>(tgid), [&](const Mapping &mapping) {
    if (!mayBeNode(mapping)) return true;
    const MappedFile file(mapping);
    if (file.descriptor() < 0) return true;
    const PostPlan &plan = planOf(file);
    refused = plan.refused;
    if (refused.empty()) visit(file, plan);
    return !refused.empty();
  });
  return refused;
}

std::string PostPlans::refusal(uint32_t tgid) {
  return search(tgid, [](const MappedFile &, const PostPlan &) {});
}

std::vector<bpf_link *> PostPlans::probe(uint32_t tgid, const PostPrograms &programs) {
  KernelLog log;
  std::vector<bpf_link *> links;
  search(tgid, [&](const MappedFile &file, const PostPlan &plan) {
    file.probe(programs.posted, plan.posted, tgid, links);
    file.probe(programs.taken, plan.taken, tgid, links);
  });
  return links;
}

}  // namespace aftertrace
