// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace aftertrace {
namespace {

std::string executable() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length < 0 ? std::string() : std::string(path, static_cast<std::size_t>(length));
}

}  // namespace

void releaseMemory() {
  malloc_trim(0);
  const std::string own = executable();
  FILE *maps = own.empty() ? nullptr : std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  char *line = nullptr;
  std::size_t room = 0;
  while (getline(&line, &room, maps) > 0) {
    uintptr_t from, to;
    char rights[5];
    int path = 0;
    if (std::sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &from, &to, rights, &path) != 3) continue;
    std::string name(line + path);
    if (!name.empty() && name.back() == '\n') name.pop_back();
    // Only text, which nobody writes to: a changed page of another mapping would be lost.
    if (std::strcmp(rights, "r-xp") != 0 || name != own) continue;
    madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
  }
  std::free(line);
  std::fclose(maps);
}

}  // namespace aftertrace
