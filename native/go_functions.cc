// SPDX-License-Identifier: Apache-2.0
#include "go_functions.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "elf_image.h"

namespace aftertrace {
namespace {

constexpr uint32_t kSince1_18 = 0xfffffff0;
constexpr uint32_t kSince1_20 = 0xfffffff1;
constexpr std::size_t kMostNames = 32 << 20;
constexpr uint64_t kMostFunctions = 4 << 20;
constexpr std::size_t kChunk = 256 << 10;

// The header of the table: pcHeader in runtime/symtab.go.
struct Header {
  uint32_t magic;
  uint8_t zeros[2];
  uint8_t quantum;
  uint8_t pointerSize;
  uint64_t functions;
  uint64_t files;
  uint64_t textStart;
  uint64_t names;  // where in the table
  uint64_t units;
  uint64_t fileNames;
  uint64_t values;
  uint64_t index;  // entries, and behind them what they point to
};
static_assert(sizeof(Header) == 72);

// One function: where it begins, relative to textStart, and where its other facts are, relative to the index.
// Those begin with the same place again, and that of the name.
struct Entry {
  uint32_t start;
  uint32_t place;
};

class Table {
 public:
  Table(const ElfImage &image, ElfImage::Extent extent) : image_(image), extent_(extent) {}

  bool open() {
    const bool isRead = read(0, &header_, sizeof header_) == sizeof header_;
    return isRead && (header_.magic == kSince1_18 || header_.magic == kSince1_20) &&
           header_.pointerSize == 8 && header_.functions <= kMostFunctions &&
           header_.names <= header_.units && header_.units <= extent_.size &&
           header_.index <= extent_.size;
  }

  std::map<std::string, uint64_t> find(const std::vector<std::string> &names) const {
    const std::map<uint32_t, std::string> wanted = nameOffsets(names);
    std::map<std::string, uint64_t> found;
    std::vector<uint32_t> words(kChunk / sizeof(uint32_t));
    // Instead of following every entry, its facts are searched for the pair of place and name.
    const uint64_t first = header_.index + header_.functions * sizeof(Entry);
    for (uint64_t at = first; at < extent_.size && found.size() < wanted.size();) {
      const std::size_t count = read(at, words.data(), kChunk) / sizeof(uint32_t);
      for (std::size_t i = 0; i + 1 < count; i++) {
        const auto name = wanted.find(words[i + 1]);
        if (name == wanted.end()) continue;
        if (hasEntry(words[i], at + i * sizeof(uint32_t) - header_.index)) {
          found.emplace(name->second, header_.textStart + words[i]);
        }
      }
      if (count < words.size()) break;
      at += (count - 1) * sizeof(uint32_t);
    }
    return found;
  }

 private:
  std::size_t read(uint64_t at, void *data, std::size_t size) const {
    if (at >= extent_.size) return 0;
    return image_.read(extent_.offset + at, data,
                       static_cast<std::size_t>(std::min<uint64_t>(size, extent_.size - at)));
  }

  std::map<uint32_t, std::string> nameOffsets(const std::vector<std::string> &names) const {
    std::string text(static_cast<std::size_t>(std::min<uint64_t>(header_.units - header_.names, kMostNames)), '\0');
    text.resize(read(header_.names, text.data(), text.size()));
    std::map<uint32_t, std::string> offsets;
    for (const std::string &name : names) {
      const std::size_t at = text.find('\0' + name + '\0');
      if (at != std::string::npos) offsets.emplace(static_cast<uint32_t>(at + 1), name);
    }
    return offsets;
  }

  // Entries are in the order of where functions begin.
  bool hasEntry(uint32_t start, uint64_t place) const {
    uint64_t low = 0;
    uint64_t high = header_.functions;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      Entry entry;
      if (read(header_.index + middle * sizeof entry, &entry, sizeof entry) != sizeof entry) return false;
      if (entry.start == start) return entry.place == place;
      if (entry.start < start) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return false;
  }

  const ElfImage &image_;
  const ElfImage::Extent extent_;
  Header header_ = {};
};

}  // namespace

std::map<std::string, uint64_t> goTableFunctions(const ElfImage &image,
                                                 const std::vector<std::string> &names) {
  // The second name is that of position-independent programs.
  for (const char *section : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    const auto extent = image.section(section);
    if (!extent) continue;
    Table table(image, *extent);
    if (table.open()) return table.find(names);
  }
  return {};
}

std::map<std::string, uint64_t> goFunctions(const ElfImage &image,
                                            const std::vector<std::string> &names) {
  auto found = image.functions(names, ElfImage::Table::all);
  return found.size() == names.size() ? found : goTableFunctions(image, names);
}

}  // namespace aftertrace
