// SPDX-License-Identifier: Apache-2.0
// Files that processes execute code of, as /proc says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aftertrace {

// A file as mappings name it: the device and inode of its file system.
struct FileId {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileId &other) const {
    return device == other.device && inode == other.inode;
  }
};

struct FileIdHash {
  std::size_t operator()(const FileId &id) const {
    return static_cast<std::size_t>(id.inode * 0x9e3779b97f4a7c15ULL ^ id.device);
  }
};

// Code of a file in the memory of a process.
struct Mapping {
  pid_t pid = 0;
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t offset = 0;  // in the file, of `from`
  FileId file;
  std::string path;  // as the process sees it
};

// Visits the code mappings of files; visit() returns false to end it. Nothing where the process is gone.
void forEachMapping(pid_t pid, const std::function<bool(const Mapping &)> &visit);

// Every process but this one and the kernel's threads.
std::vector<pid_t> processes();

// True where this mapping is of the program that the process runs.
bool isMainProgram(const Mapping &mapping);

// Opens the very file that is mapped, in whatever mount namespace, deleted or not. -1 where it cannot.
int openMapped(const Mapping &mapping);

}  // namespace aftertrace
