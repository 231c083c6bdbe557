// SPDX-License-Identifier: Apache-2.0
// What is read of V8 in programs that contain it, as node: bpf/lib/async-roots.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "events.h"

struct bpf_link;
struct bpf_map;
struct bpf_program;

namespace aftertrace {

class ElfImage;

// Where a program's V8 keeps what is read, and where it collects garbage: file offsets.
struct V8Plan {
  v8_layout layout = {};
  uint64_t collectionBegins = 0;
  uint64_t collectionEnds = 0;
  // Where Node gives connections to requests: new ones, idle ones, and where libuv connects the new ones.
  struct Connections {
    uint64_t construct;
    uint64_t reset;
    uint64_t connect;
  };
  std::optional<Connections> connections;
};

// Nothing unless all of it is found and as expected: the numbers that V8 gives to debuggers (v8dbg_...), and in its own
// code the offsets that they lack. Needs the full symbol table, which node's releases have. V8 11.3 (Node 20) and
// newer: before, no variable tells which isolate a thread is in.
std::optional<V8Plan> planV8(const ElfImage &image);

// What is attached, and where a process's layout is put for it.
struct V8Programs {
  bpf_program *begins = nullptr;
  bpf_program *ends = nullptr;
  bpf_program *wrapReset = nullptr;
  bpf_program *handleConnects = nullptr;
  bpf_map *layouts = nullptr;
};

// Probes a process where it collects, both places or none, and then also where it gives connections to requests. `life`: another number each time, v8_layout.life.
std::vector<bpf_link *> probeV8(uint32_t tgid, uint32_t life, const V8Programs &programs);
// True where the program of the process has such a V8.
bool hasV8(uint32_t tgid);

}  // namespace aftertrace
