// SPDX-License-Identifier: Apache-2.0
// Reads what probes need of an ELF file: where functions are. The file may be anything and may change
// while it is read: every read is bounded and checked, nothing is mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aftertrace {

class ElfImage {
 public:
  // The descriptor stays the caller's. Nothing is found in what is no 64-bit ELF file of this machine.
  explicit ElfImage(int descriptor);

  bool valid() const { return valid_; }
  bool hasSection(std::string_view name) const;

  enum class Table { exported, all };  // .dynsym; .symtab
  // Addresses of the functions defined under these names.
  std::map<std::string, uint64_t> functions(const std::vector<std::string> &names, Table table) const;

  // Where an address of executable code is in the file.
  std::optional<uint64_t> fileOffset(uint64_t address) const;
  // Up to `size` bytes of code at an address; fewer where the file or the segment ends.
  std::vector<uint8_t> code(uint64_t address, std::size_t size) const;

 private:
  struct Segment {
    uint64_t address, offset, size;
  };
  struct Section {
    uint32_t name, type, link;
    uint64_t offset, size, entrySize;
  };

  bool readHeaders();
  std::size_t readAt(uint64_t offset, void *data, std::size_t size) const;
  // Offsets in a string table at which one of the names stands, with its index.
  std::map<uint32_t, std::size_t> nameOffsets(const Section &strings,
                                              const std::vector<std::string> &names) const;

  int descriptor_;
  bool valid_ = false;
  std::vector<Segment> code_;
  std::vector<Section> sections_;
  std::string sectionNames_;
};

}  // namespace aftertrace
