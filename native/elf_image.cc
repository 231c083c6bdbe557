// SPDX-License-Identifier: Apache-2.0
#include "elf_image.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace aftertrace {
namespace {

constexpr std::size_t kMostSegments = 256;
constexpr std::size_t kMostSections = 65'536;
constexpr std::size_t kMostSectionNames = 4 << 20;
// Beyond this a table is passed over: no known program comes near.
constexpr uint64_t kLargestTable = 256 << 20;
constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kMostFound = 4096;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kMostThreadStorage = 1 << 20;

bool isPlace(uint64_t offset, uint64_t size) {
  return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

}  // namespace

ElfImage::ElfImage(int descriptor) : descriptor_(descriptor) { valid_ = readHeaders(); }

std::size_t ElfImage::read(uint64_t offset, void *data, std::size_t size) const {
  if (!isPlace(offset, size)) return 0;
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(descriptor_, static_cast<char *>(data) + done, size - done,
                              static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

bool ElfImage::readHeaders() {
  Elf64_Ehdr header;
  if (read(0, &header, sizeof header) != sizeof header) return false;
  const bool ours = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                    header.e_ident[EI_CLASS] == ELFCLASS64 &&
                    header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_X86_64;
  if (!ours || header.e_phentsize != sizeof(Elf64_Phdr)) return false;

  std::vector<Elf64_Phdr> segments(std::min<std::size_t>(header.e_phnum, kMostSegments));
  std::size_t bytes = segments.size() * sizeof(Elf64_Phdr);
  segments.resize(read(header.e_phoff, segments.data(), bytes) / sizeof(Elf64_Phdr));
  for (const Elf64_Phdr &segment : segments) {
    if (segment.p_type == PT_INTERP) isProgram_ = true;
    if (segment.p_type == PT_TLS && segment.p_memsz <= kMostThreadStorage) {
      const uint64_t alignment = std::max<uint64_t>(segment.p_align, 1);
      threadStorage_ = (segment.p_memsz + alignment - 1) / alignment * alignment;
    }
    if (segment.p_type != PT_LOAD) continue;
    loaded_.push_back({segment.p_vaddr, segment.p_offset, segment.p_filesz, segment.p_memsz});
    auto &kind = (segment.p_flags & PF_X) != 0 ? code_ : data_;
    kind.push_back(loaded_.back());
  }

  if (header.e_shentsize != sizeof(Elf64_Shdr)) return true;
  std::vector<Elf64_Shdr> sections(std::min<std::size_t>(header.e_shnum, kMostSections));
  bytes = sections.size() * sizeof(Elf64_Shdr);
  sections.resize(read(header.e_shoff, sections.data(), bytes) / sizeof(Elf64_Shdr));
  for (const Elf64_Shdr &section : sections) {
    sections_.push_back({section.sh_name, section.sh_type, section.sh_link, section.sh_offset,
                         section.sh_size, section.sh_entsize});
  }
  if (header.e_shstrndx < sections_.size()) {
    const Section &names = sections_[header.e_shstrndx];
    sectionNames_.resize(static_cast<std::size_t>(std::min<uint64_t>(names.size, kMostSectionNames)));
    sectionNames_.resize(read(names.offset, sectionNames_.data(), sectionNames_.size()));
  }
  return true;
}

std::optional<ElfImage::Extent> ElfImage::section(std::string_view name) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(), [&](const Section &section) {
    return section.name < sectionNames_.size() &&
           sectionNames_.compare(section.name, name.size() + 1, std::string(name) + '\0') == 0;
  });
  if (found == sections_.end()) return std::nullopt;
  return Extent{found->offset, found->size};
}

std::map<uint32_t, std::size_t> ElfImage::nameOffsets(const Section &strings,
                                                      const std::vector<std::string> &names) const {
  std::map<uint32_t, std::size_t> found;
  std::size_t longest = 0;
  for (const std::string &name : names) longest = std::max(longest, name.size() + 1);
  std::vector<char> chunk(kChunk + longest);
  // Chunks overlap by the longest name, so that none is cut; one found twice is the same entry.
  for (uint64_t at = 0; at < strings.size; at += kChunk) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<uint64_t>(chunk.size(), strings.size - at));
    const std::size_t got = read(strings.offset + at, chunk.data(), wanted);
    for (std::size_t index = 0; index < names.size(); index++) {
      const std::size_t length = names[index].size() + 1;  // the NUL too: names are whole
      const char *from = chunk.data();
      const char *const end = chunk.data() + got;
      while (found.size() < kMostFound) {
        const void *hit = memmem(from, static_cast<std::size_t>(end - from), names[index].c_str(), length);
        if (hit == nullptr) break;
        from = static_cast<const char *>(hit);
        found[static_cast<uint32_t>(at + static_cast<std::size_t>(from - chunk.data()))] = index;
        from += length;
      }
    }
    if (got < wanted) break;
  }
  return found;
}

std::vector<ElfImage::Symbol> ElfImage::symbols(const std::vector<std::string> &names,
                                                uint32_t tableType) const {
  std::vector<Symbol> found;
  for (uint32_t section = 0; section < sections_.size(); section++) {
    const Section &table = sections_[section];
    if (table.type != tableType || table.entrySize != sizeof(Elf64_Sym)) continue;
    if (table.link >= sections_.size() || table.size > kLargestTable) continue;
    const Section &strings = sections_[table.link];
    if (strings.size > kLargestTable) continue;
    const auto offsets = nameOffsets(strings, names);
    if (offsets.empty()) continue;
    std::vector<Elf64_Sym> chunk(kChunk / sizeof(Elf64_Sym));
    const uint64_t count = table.size / sizeof(Elf64_Sym);
    for (uint64_t at = 0; at < count; at += chunk.size()) {
      const std::size_t wanted = static_cast<std::size_t>(std::min<uint64_t>(chunk.size(), count - at));
      const std::size_t got =
          read(table.offset + at * sizeof(Elf64_Sym), chunk.data(), wanted * sizeof(Elf64_Sym)) /
          sizeof(Elf64_Sym);
      for (std::size_t i = 0; i < got && found.size() < kMostFound; i++) {
        const Elf64_Sym &symbol = chunk[i];
        const auto name = offsets.find(symbol.st_name);
        if (name == offsets.end()) continue;
        found.push_back({symbol.st_value, section, static_cast<uint32_t>(at + i), name->second,
                         static_cast<uint8_t>(ELF64_ST_TYPE(symbol.st_info)),
                         symbol.st_shndx != SHN_UNDEF});
      }
      if (got < wanted) break;
    }
  }
  return found;
}

std::map<std::string, uint64_t> ElfImage::functions(const std::vector<std::string> &names,
                                                    Table table) const {
  std::map<std::string, uint64_t> found;
  for (const Symbol &symbol : symbols(names, table == Table::exported ? SHT_DYNSYM : SHT_SYMTAB)) {
    if (symbol.type == STT_FUNC && symbol.isDefined) found.emplace(names[symbol.name], symbol.address);
  }
  return found;
}

std::map<std::string, uint64_t> ElfImage::values(const std::vector<std::string> &names) const {
  std::map<std::string, uint64_t> found;
  for (const Symbol &symbol : symbols(names, SHT_SYMTAB)) {
    if (symbol.isDefined) found.emplace(names[symbol.name], symbol.address);
  }
  return found;
}

std::optional<uint32_t> ElfImage::initial(uint64_t address) const {
  for (const Segment &segment : data_) {
    if (address < segment.address || address - segment.address >= segment.memory) continue;
    const uint64_t into = address - segment.address;
    uint32_t value = 0;
    if (into < segment.size && read(segment.offset + into, &value, sizeof value) != sizeof value) break;
    return value;
  }
  return std::nullopt;
}

std::optional<int64_t> ElfImage::fromThreadPointer(uint64_t place) const {
  // The program's own storage ends where the thread pointer points to.
  if (!isProgram_ || place >= threadStorage_) return std::nullopt;
  return static_cast<int64_t>(place) - static_cast<int64_t>(threadStorage_);
}

std::optional<uint64_t> ElfImage::variable(const std::string &name) const {
  for (const Symbol &symbol : symbols({name}, SHT_DYNSYM)) {
    if (symbol.type == STT_OBJECT && symbol.isDefined) return symbol.address;
  }
  return std::nullopt;
}

std::vector<Elf64_Rela> ElfImage::relocations(const Section &table) const {
  std::vector<Elf64_Rela> entries;
  const bool isMeant = table.type == SHT_RELA && table.entrySize == sizeof(Elf64_Rela) &&
                       table.size <= kLargestTable;
  if (!isMeant) return entries;
  entries.resize(table.size / sizeof(Elf64_Rela));
  entries.resize(read(table.offset, entries.data(), entries.size() * sizeof(Elf64_Rela)) /
                 sizeof(Elf64_Rela));
  return entries;
}

std::vector<uint64_t> ElfImage::importSlots(const std::string &name) const {
  std::vector<uint64_t> slots;
  for (const Symbol &symbol : symbols({name}, SHT_DYNSYM)) {
    for (const Section &table : sections_) {
      if (table.link != symbol.section) continue;
      for (const Elf64_Rela &entry : relocations(table)) {
        const uint64_t type = ELF64_R_TYPE(entry.r_info);
        const bool isSlot = type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
        if (isSlot && ELF64_R_SYM(entry.r_info) == symbol.index) slots.push_back(entry.r_offset);
      }
    }
  }
  return slots;
}

bool ElfImage::hasText(uint64_t address, const std::string &text) const {
  std::string found(text.size() + 1, ' ');
  for (const Segment &segment : loaded_) {
    if (address < segment.address || address - segment.address >= segment.size) continue;
    const uint64_t into = address - segment.address;
    if (segment.size - into < found.size()) return false;
    return read(segment.offset + into, found.data(), found.size()) == found.size() &&
           found == text + '\0';
  }
  return false;
}

std::vector<uint64_t> ElfImage::listedFunctions(const std::string &name) const {
  // By the address of a word: what the loader puts there.
  std::map<uint64_t, uint64_t> words;
  for (const Section &table : sections_) {
    for (const Elf64_Rela &entry : relocations(table)) {
      if (ELF64_R_TYPE(entry.r_info) != R_X86_64_RELATIVE) continue;
      words[entry.r_offset] = static_cast<uint64_t>(entry.r_addend);
    }
  }
  std::vector<uint64_t> functions;
  for (const auto &[place, text] : words) {
    const auto next = words.find(place + sizeof(uint64_t));
    if (next == words.end() || !fileOffset(next->second) || !hasText(text, name)) continue;
    functions.push_back(next->second);
  }
  return functions;
}

std::optional<uint64_t> ElfImage::fileOffset(uint64_t address) const {
  for (const Segment &segment : code_) {
    if (address >= segment.address && address - segment.address < segment.size) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ElfImage::addressOf(uint64_t fileOffset) const {
  for (const Segment &segment : code_) {
    const uint64_t first = segment.offset & ~(kPage - 1);
    if (fileOffset >= first && fileOffset < segment.offset + segment.size) {
      return segment.address + (fileOffset - segment.offset);
    }
  }
  return std::nullopt;
}

std::vector<std::pair<uint64_t, uint64_t>> ElfImage::codeRanges() const {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const Segment &segment : code_) ranges.emplace_back(segment.address, segment.size);
  return ranges;
}

std::vector<uint8_t> ElfImage::code(uint64_t address, std::size_t size) const {
  std::vector<uint8_t> bytes;
  for (const Segment &segment : code_) {
    if (address < segment.address || address - segment.address >= segment.size) continue;
    const uint64_t into = address - segment.address;
    bytes.resize(static_cast<std::size_t>(std::min<uint64_t>(size, segment.size - into)));
    bytes.resize(read(segment.offset + into, bytes.data(), bytes.size()));
    break;
  }
  return bytes;
}

}  // namespace aftertrace
