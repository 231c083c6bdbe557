// SPDX-License-Identifier: Apache-2.0
#include "loop_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "prologue.h"
#include "task_probes.h"

namespace aftertrace {
namespace {

const std::vector<std::string> kWaits{"epoll_wait", "epoll_pwait"};

bool beginsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// glibc is libc.so.6 or libc-2.31.so, musl's library is its loader. libuv and uvloop call it too.
bool isLibrary(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return beginsWith(name, "libc.so") || beginsWith(name, "libc-") || beginsWith(name, "libc.musl") ||
         beginsWith(name, "ld-musl");
}

bool isAsyncio(std::string_view path) {
  return beginsWith(path.substr(path.rfind('/') + 1), "_asyncio.");
}

void probeTurns(const Mapping &mapping, bpf_program *program, Links &links) {
  const MappedFile file(mapping);
  for (const uint64_t offset : planLoopProbes(file.image())) {
    file.probe(program, offset, static_cast<uint64_t>(mapping.pid), links);
  }
}

void probeTasks(const Mapping &mapping, bpf_program *program, Links &links) {
  const MappedFile file(mapping);
  for (const TaskProbe &task : planTaskProbes(file.image())) {
    file.probe(program, task.offset, cookieOf(task, static_cast<uint32_t>(mapping.pid)), links);
  }
}

bool tellLayout(const Mapping &mapping, bpf_map *layouts) {
  const auto layout = readPythonLayout(mapping, MappedFile(mapping).image());
  if (!layout) return false;
  const uint32_t tgid = static_cast<uint32_t>(mapping.pid);
  return bpf_map__update_elem(layouts, &tgid, sizeof tgid, &*layout, sizeof *layout, BPF_ANY) == 0;
}

}  // namespace

std::vector<uint64_t> planLoopProbes(const ElfImage &image) {
  std::vector<uint64_t> offsets;
  if (!image.valid()) return offsets;
  for (const auto &[name, address] : image.functions(kWaits, ElfImage::Table::exported)) {
    const auto place = cheapPlace(image.code(address, kPrologueBytes));
    const auto offset = place ? image.fileOffset(address + *place) : std::nullopt;
    if (offset && std::find(offsets.begin(), offsets.end(), *offset) == offsets.end()) {
      offsets.push_back(*offset);
    }
  }
  return offsets;
}

Links probeLoop(uint32_t tgid, const LoopPrograms &programs) {
  Links turns;
  Links tasks;
  bool hasLayout = false;
  // What was known of an earlier process of this number.
  bpf_map__delete_elem(programs.layouts, &tgid, sizeof tgid, 0);
  forEachMapping(static_cast<pid_t>(tgid), [&](const Mapping &mapping) {
    if (turns.empty() && isLibrary(mapping.path)) probeTurns(mapping, programs.turn, turns);
    if (tasks.empty() && isAsyncio(mapping.path)) probeTasks(mapping, programs.task, tasks);
    if (!hasLayout && mayBePython(mapping)) hasLayout = tellLayout(mapping, programs.layouts);
    return turns.empty() || tasks.empty() || !hasLayout;
  });
  turns.insert(turns.end(), tasks.begin(), tasks.end());
  return turns;
}

}  // namespace aftertrace
