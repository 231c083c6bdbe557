// SPDX-License-Identifier: Apache-2.0
#include "go_probes.h"

#include <cstring>
#include <string>
#include <vector>

#include "go_functions.h"
#include "probe.h"
#include "process_maps.h"

namespace aftertrace {
namespace {

// What newproc() does on the stack of the scheduler: makes the goroutine, and queues it.
const std::string kStart = "runtime.newproc.func1";
const std::string kMake = "runtime.newproc1";
const std::string kQueue = "runtime.runqput";
// It has about 100 bytes.
constexpr std::size_t kStartBytes = 256;
constexpr uint8_t kCall = 0xe8;
constexpr std::size_t kCallBytes = 5;

// Offset of the first call of `target` at or behind `from`.
std::optional<std::size_t> findCall(const std::vector<uint8_t> &code, std::size_t from, uint64_t address,
                                    uint64_t target) {
  for (std::size_t at = from; at + kCallBytes <= code.size(); at++) {
    if (code[at] != kCall) continue;
    int32_t distance;
    std::memcpy(&distance, &code[at + 1], sizeof distance);
    if (address + at + kCallBytes + static_cast<uint64_t>(static_cast<int64_t>(distance)) == target) return at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> planGoroutineProbe(const ElfImage &image) {
  if (!image.valid()) return std::nullopt;
  const auto functions = goFunctions(image, {kStart, kMake, kQueue});
  if (functions.size() != 3) return std::nullopt;
  const uint64_t start = functions.at(kStart);
  const std::vector<uint8_t> code = image.code(start, kStartBytes);
  const auto make = findCall(code, 0, start, functions.at(kMake));
  if (!make) return std::nullopt;
  const auto queue = findCall(code, *make + kCallBytes, start, functions.at(kQueue));
  return queue ? image.fileOffset(start + *queue) : std::nullopt;
}

std::vector<bpf_link *> probeGoroutines(uint32_t tgid, bpf_program *program) {
  KernelLog log;
  std::vector<bpf_link *> links;
  forEachMapping(static_cast<pid_t>(tgid), [&](const Mapping &mapping) {
    if (!isMainProgram(mapping)) return true;
    const MappedFile file(mapping);
    const auto offset = planGoroutineProbe(file.image());
    if (offset) file.probe(program, *offset, tgid, links);
    return false;
  });
  return links;
}

}  // namespace aftertrace
