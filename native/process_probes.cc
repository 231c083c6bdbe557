// SPDX-License-Identifier: Apache-2.0
#include "process_probes.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tls_target.h"

namespace aftertrace {

ProcessProbes::~ProcessProbes() { clear(); }

void ProcessProbes::add(uint32_t tgid, std::vector<bpf_link *> links) {
  probes_.emplace(tgid, std::move(links));
}

void ProcessProbes::remove(uint32_t tgid) {
  const auto found = probes_.find(tgid);
  if (found == probes_.end()) return;
  takeOff(std::move(found->second));
  probes_.erase(found);
}

void ProcessProbes::clear() {
  std::vector<bpf_link *> links;
  for (const auto &[tgid, own] : probes_) links.insert(links.end(), own.begin(), own.end());
  probes_.clear();
  removeProbes(links);
  leaving_.clear();
}

void ProcessProbes::takeOff(std::vector<bpf_link *> links) {
  const auto isDone = [](const std::future<void> &future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(), isDone), leaving_.end());
  if (links.empty()) return;
  leaving_.push_back(
      std::async(std::launch::async, [own = std::move(links)] { removeProbes(own); }));
}

}  // namespace aftertrace
