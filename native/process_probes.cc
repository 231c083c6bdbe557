// SPDX-License-Identifier: Apache-2.0
#include "process_probes.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "probe.h"
#include "tls_target.h"

namespace aftertrace {

MappedFile::MappedFile(const Mapping &mapping)
    : pid_(mapping.pid), descriptor_(openMapped(mapping)), image_(descriptor_) {}

MappedFile::~MappedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::probe(bpf_program *program, uint64_t offset, uint64_t cookie, Links &links) const {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
  LIBBPF_OPTS(bpf_uprobe_opts, options);
  options.bpf_cookie = cookie;
  bpf_link *link = bpf_program__attach_uprobe_opts(program, pid_, self.c_str(), offset, &options);
  if (link != nullptr) links.push_back(link);
}

ProcessProbes::~ProcessProbes() { clear(); }

void ProcessProbes::add(uint32_t tgid, const std::function<Links()> &probe) {
  if (probes_.count(tgid) != 0) return;
  KernelLog log;
  probes_.emplace(tgid, probe());
}

void ProcessProbes::remove(uint32_t tgid) {
  const auto found = probes_.find(tgid);
  if (found == probes_.end()) return;
  takeOff(std::move(found->second));
  probes_.erase(found);
}

void ProcessProbes::clear() {
  Links links;
  for (const auto &[tgid, own] : probes_) links.insert(links.end(), own.begin(), own.end());
  probes_.clear();
  removeProbes(links);
  leaving_.clear();
}

void ProcessProbes::takeOff(Links links) {
  const auto isDone = [](const std::future<void> &future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(), isDone), leaving_.end());
  if (links.empty()) return;
  leaving_.push_back(
      std::async(std::launch::async, [own = std::move(links)] { removeProbes(own); }));
}

}  // namespace aftertrace
