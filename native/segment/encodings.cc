// SPDX-License-Identifier: Apache-2.0
#include "encodings.h"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace aftertrace {
namespace {

// Numbers are packed in groups of eight, so that a group ends with a byte.
constexpr std::size_t kGroup = 8;
// A shorter run costs more as a run than as a part of the packed numbers around it.
constexpr std::size_t kShortestRun = 2 * kGroup;

constexpr std::size_t kMiniblock = 32;
constexpr std::size_t kMiniblocks = 4;
constexpr std::size_t kBlock = kMiniblock * kMiniblocks;

// `count` numbers of `width` bits, the lowest bits first; those behind `available` are 0.
template <typename T>
void putPacked(Bytes &out, const T *values, std::size_t available, std::size_t count, int width) {
  std::size_t at = out.size();
  out.resize(at + count * static_cast<std::size_t>(width) / 8);
  unsigned __int128 bits = 0;
  int held = 0;
  for (std::size_t i = 0; i < count; i++) {
    const uint64_t value = i < available ? static_cast<uint64_t>(values[i]) : 0;
    bits |= static_cast<unsigned __int128>(value) << held;
    for (held += width; held >= 8; held -= 8) {
      out[at++] = static_cast<uint8_t>(bits);
      bits >>= 8;
    }
  }
}

std::size_t runAt(const uint32_t *values, std::size_t count, std::size_t at, std::size_t most) {
  const std::size_t end = std::min(count, most < count - at ? at + most : count);
  std::size_t next = at + 1;
  while (next < end && values[next] == values[at]) next++;
  return next - at;
}

}  // namespace

int widthOf(uint64_t greatest, Packing packing) {
  const int bits = greatest == 0 ? 0 : 64 - __builtin_clzll(greatest);
  return packing == Packing::bits ? bits : (bits + 7) / 8 * 8;
}

void putHybrid(Bytes &out, const uint32_t *values, std::size_t count, int width) {
  out.reserve(out.size() + count * static_cast<std::size_t>(width) / 8 + 64);
  for (std::size_t at = 0; at < count;) {
    const std::size_t run = runAt(values, count, at, count);
    if (run >= kShortestRun || run == count - at) {
      putVarint(out, run << 1);
      for (int shift = 0; shift < width; shift += 8) {
        out.push_back(static_cast<uint8_t>(values[at] >> shift));
      }
      at += run;
      continue;
    }
    std::size_t end = at + kGroup;
    while (end < count && runAt(values, count, end, kShortestRun) < kShortestRun) end += kGroup;
    const std::size_t groups = (end - at) / kGroup;
    putVarint(out, groups << 1 | 1);
    putPacked(out, values + at, std::min(end, count) - at, groups * kGroup, width);
    at = std::min(end, count);
  }
}

template <typename T>
void putDeltas(Bytes &out, const T *values, std::size_t count, Packing packing) {
  using Signed = std::make_signed_t<T>;
  // The most it can be, so that nothing is copied as it grows.
  out.reserve(out.size() + (count + kBlock) * sizeof(T) + (count / kBlock + 1) * 16 + 32);
  putVarint(out, kBlock);
  putVarint(out, kMiniblocks);
  putVarint(out, count);
  putZigzag(out, static_cast<Signed>(values[0]));
  T deltas[kBlock];
  for (std::size_t at = 1; at < count; at += kBlock) {
    const std::size_t used = std::min(kBlock, count - at);
    // Differences wrap around, as the format says; only their order needs a sign.
    Signed least = std::numeric_limits<Signed>::max();
    for (std::size_t i = 0; i < used; i++) {
      deltas[i] = static_cast<T>(values[at + i] - values[at + i - 1]);
      least = std::min(least, static_cast<Signed>(deltas[i]));
    }
    putZigzag(out, least);
    int widths[kMiniblocks];
    for (std::size_t mini = 0; mini < kMiniblocks; mini++) {
      T all = 0;
      for (std::size_t i = mini * kMiniblock; i < std::min(used, (mini + 1) * kMiniblock); i++) {
        deltas[i] = static_cast<T>(deltas[i] - static_cast<T>(least));
        all |= deltas[i];
      }
      widths[mini] = widthOf(all, packing);
      out.push_back(static_cast<uint8_t>(widths[mini]));
    }
    for (std::size_t mini = 0; mini * kMiniblock < used; mini++) {
      const std::size_t from = mini * kMiniblock;
      putPacked(out, deltas + from, std::min(kMiniblock, used - from), kMiniblock, widths[mini]);
    }
  }
}

template void putDeltas<uint32_t>(Bytes &, const uint32_t *, std::size_t, Packing);
template void putDeltas<uint64_t>(Bytes &, const uint64_t *, std::size_t, Packing);

}  // namespace aftertrace
