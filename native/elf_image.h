// SPDX-License-Identifier: Apache-2.0
// Reads what probes need of an ELF file: where functions are. The file may be anything and may change
// while it is read: every read is bounded and checked, nothing is mapped.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aftertrace {

class ElfImage {
 public:
  // The descriptor stays the caller's. Nothing is found in what is no 64-bit ELF file of this machine.
  explicit ElfImage(int descriptor);

  bool valid() const { return valid_; }
  bool hasSection(std::string_view name) const { return section(name).has_value(); }
  // A stretch of the file.
  struct Extent {
    uint64_t offset, size;
  };
  std::optional<Extent> section(std::string_view name) const;
  // Bytes of the file; returns how many were there.
  std::size_t read(uint64_t offset, void *data, std::size_t size) const;

  enum class Table { exported, all };  // .dynsym; .symtab
  // Addresses of the functions defined under these names.
  std::map<std::string, uint64_t> functions(const std::vector<std::string> &names, Table table) const;

  // Values of symbols of any type defined under these names, in .symtab: addresses, or places in thread-local storage.
  std::map<std::string, uint64_t> values(const std::vector<std::string> &names) const;
  // What the variable at an address is before the program runs.
  std::optional<uint32_t> initial(uint64_t address) const;
  // From the thread pointer to a place in the thread-local storage of a program; libraries have none that is fixed.
  std::optional<int64_t> fromThreadPointer(uint64_t place) const;

  // Address of the exported variable of this name.
  std::optional<uint64_t> variable(const std::string &name) const;
  // Addresses of the words in which the loader puts the address of this imported function.
  std::vector<uint64_t> importSlots(const std::string &name) const;

  // Addresses of the functions that tables in data list right behind this name, as Python's PyMethodDef does.
  std::vector<uint64_t> listedFunctions(const std::string &name) const;

  // Where an address of executable code is in the file, and the reverse; also at what precedes a segment on its page.
  std::optional<uint64_t> fileOffset(uint64_t address) const;
  std::optional<uint64_t> addressOf(uint64_t fileOffset) const;
  // Up to `size` bytes of code at an address; fewer where the file or the segment ends.
  std::vector<uint8_t> code(uint64_t address, std::size_t size) const;
  // Every stretch of code: its address and its size in the file.
  std::vector<std::pair<uint64_t, uint64_t>> codeRanges() const;

 private:
  struct Segment {
    uint64_t address, offset, size;
    uint64_t memory;  // bytes in memory: those beyond size are 0
  };
  struct Section {
    uint32_t name, type, link;
    uint64_t offset, size, entrySize;
  };
  struct Symbol {
    uint64_t address;
    uint32_t section;  // index of its table
    uint32_t index;    // in the table
    std::size_t name;  // which of those asked for
    uint8_t type;
    bool isDefined;
  };

  bool readHeaders();
  // What a table of relocations holds; nothing where the section is none, or too large.
  std::vector<Elf64_Rela> relocations(const Section &table) const;
  // True where the file holds this text, and a NUL behind it, at an address of what is loaded.
  bool hasText(uint64_t address, const std::string &text) const;
  // Symbols of these names in the tables of this section type.
  std::vector<Symbol> symbols(const std::vector<std::string> &names, uint32_t tableType) const;
  // Offsets in a string table at which one of the names stands, with its index.
  std::map<uint32_t, std::size_t> nameOffsets(const Section &strings,
                                              const std::vector<std::string> &names) const;

  int descriptor_;
  bool valid_ = false;
  std::vector<Segment> loaded_;
  std::vector<Segment> code_;  // those of them that may be executed
  std::vector<Segment> data_;  // and the others
  uint64_t threadStorage_ = 0;  // bytes, as aligned
  bool isProgram_ = false;
  std::vector<Section> sections_;
  std::string sectionNames_;
};

}  // namespace aftertrace
