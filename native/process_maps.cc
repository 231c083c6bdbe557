// SPDX-License-Identifier: Apache-2.0
#include "process_maps.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace aftertrace {
namespace {

std::string procPath(pid_t pid, const char *rest) {
  return "/proc/" + std::to_string(pid) + "/" + rest;
}

// A file that is opened only if it is a regular one: opening a device or a pipe may do things.
int openRegular(const std::string &path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return -1;
  struct stat status;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) return descriptor;
  close(descriptor);
  return -1;
}

bool parseLine(const char *line, Mapping &mapping) {
  char permissions[5];
  unsigned major, minor;
  int path = 0;
  const int read = std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
                               &mapping.from, &mapping.to, permissions, &mapping.offset, &major, &minor,
                               &mapping.file.inode, &path);
  if (read < 7 || path == 0 || permissions[2] != 'x' || mapping.file.inode == 0) return false;
  mapping.file.device = makedev(major, minor);
  mapping.path = line + path;
  if (!mapping.path.empty() && mapping.path.back() == '\n') mapping.path.pop_back();
  return true;
}

}  // namespace

void forEachMapping(pid_t pid, const std::function<bool(const Mapping &)> &visit) {
  const std::unique_ptr<FILE, int (*)(FILE *)> file(fopen(procPath(pid, "maps").c_str(), "re"), fclose);
  if (!file) return;
  char *line = nullptr;
  std::size_t size = 0;
  while (getline(&line, &size, file.get()) > 0) {
    Mapping mapping;
    mapping.pid = pid;
    if (parseLine(line, mapping) && !visit(mapping)) break;
  }
  free(line);
}

std::vector<pid_t> processes() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR *)> directory(opendir("/proc"), closedir);
  if (!directory) return pids;
  while (const dirent *entry = readdir(directory.get())) {
    const pid_t pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid > 0 && pid != getpid()) pids.push_back(pid);
  }
  return pids;
}

bool isMainProgram(const Mapping &mapping) {
  struct stat status;
  return stat(procPath(mapping.pid, "exe").c_str(), &status) == 0 && status.st_ino == mapping.file.inode;
}

int openMapped(const Mapping &mapping) {
  char range[64];
  std::snprintf(range, sizeof range, "map_files/%" PRIx64 "-%" PRIx64, mapping.from, mapping.to);
  // The mapping itself first: needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, is right whatever happened to the path.
  const int mapped = openRegular(procPath(mapping.pid, range));
  if (mapped >= 0) return mapped;
  for (const std::string &path : {procPath(mapping.pid, "root") + mapping.path, mapping.path}) {
    const int descriptor = openRegular(path);
    if (descriptor < 0) continue;
    struct stat status;
    if (fstat(descriptor, &status) == 0 && status.st_ino == mapping.file.inode) return descriptor;
    close(descriptor);
  }
  return -1;
}

}  // namespace aftertrace
