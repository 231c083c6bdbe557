// SPDX-License-Identifier: Apache-2.0
#include "mapped_file.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <string>

#include "process_maps.h"

namespace aftertrace {

MappedFile::MappedFile(const Mapping &mapping)
    : pid_(mapping.pid), descriptor_(openMapped(mapping)), image_(descriptor_) {}

MappedFile::~MappedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::probe(bpf_program *program, uint64_t offset, uint64_t cookie,
                       std::vector<bpf_link *> &links) const {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
  LIBBPF_OPTS(bpf_uprobe_opts, options);
  options.bpf_cookie = cookie;
  bpf_link *link = bpf_program__attach_uprobe_opts(program, pid_, self.c_str(), offset, &options);
  if (link != nullptr) links.push_back(link);
}

}  // namespace aftertrace
