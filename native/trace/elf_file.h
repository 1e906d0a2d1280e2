// An ELF file (elf(5)), mapped: its segments, its symbols, whether it has line numbers. 64 bits of this
// machine alone.
#pragma once

#include <elf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace truefork::trace {

class ElfFile {
 public:
  // nullptr where it cannot be read or is none.
  static std::unique_ptr<const ElfFile> Open(const std::string& path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  bool HasSection(const char* name) const;
  // Where the program headers are in the program's own address space.
  bool HeadersAddress(uint64_t* address) const;
  // How far a mapping of this part of the file is from where the file says; false where it is none with code.
  bool BiasOf(uint64_t start, uint64_t offset, uint64_t* bias) const;
  // The bytes of code in front of an address of the file: at most `size`, or nullptr where it is no code.
  const uint8_t* CodeBefore(uint64_t address, size_t size) const;
  // Addresses of the named functions, from both symbol tables.
  std::unordered_map<uint64_t, std::string> Functions(const std::vector<std::string>& names) const;

 private:
  ElfFile(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}
  // A table in the file, or nullptr where it is not all there.
  template <typename Entry>
  const Entry* Table(uint64_t offset, uint64_t count) const {
    if (offset > size_ || count > (size_ - offset) / sizeof(Entry) || offset % alignof(Entry) != 0)
      return nullptr;
    return reinterpret_cast<const Entry*>(bytes_ + offset);
  }
  const Elf64_Ehdr& header() const { return *reinterpret_cast<const Elf64_Ehdr*>(bytes_); }
  const Elf64_Phdr* segments() const { return Table<Elf64_Phdr>(header().e_phoff, header().e_phnum); }
  const Elf64_Shdr* sections() const { return Table<Elf64_Shdr>(header().e_shoff, header().e_shnum); }

  const uint8_t* const bytes_;
  const size_t size_;
};

}  // namespace truefork::trace
