#include "trace/elf_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace truefork::trace {

namespace {

constexpr uint64_t kPage = 4096;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
constexpr uint16_t kMachine = EM_NONE;
#endif

}  // namespace

std::unique_ptr<const ElfFile> ElfFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  // fstat(2) would need glibc 2.33. What has no end, or cannot be mapped, is no ELF file.
  const off_t size = lseek(fd, 0, SEEK_END);
  void* bytes = MAP_FAILED;
  if (size >= static_cast<off_t>(sizeof(Elf64_Ehdr))) {
    bytes = mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, fd, 0);
  }
  close(fd);
  if (bytes == MAP_FAILED) return nullptr;
  std::unique_ptr<const ElfFile> file(
      new ElfFile(static_cast<const uint8_t*>(bytes), static_cast<size_t>(size)));
  const Elf64_Ehdr& header = file->header();
  const bool isOurs = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                      header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == kMachine &&
                      file->segments() != nullptr;
  if (!isOurs) file.reset();
  return file;
}

ElfFile::~ElfFile() { munmap(const_cast<uint8_t*>(bytes_), size_); }

bool ElfFile::HasSection(const char* name) const {
  const Elf64_Shdr* const all = sections();
  if (all == nullptr || header().e_shstrndx >= header().e_shnum) return false;
  const Elf64_Shdr& names = all[header().e_shstrndx];
  const size_t length = strlen(name) + 1;
  const char* const text = Table<char>(names.sh_offset, names.sh_size);
  return text != nullptr && std::any_of(all, all + header().e_shnum, [&](const Elf64_Shdr& section) {
           return section.sh_name < names.sh_size && names.sh_size - section.sh_name >= length &&
                  memcmp(text + section.sh_name, name, length) == 0;
         });
}

bool ElfFile::HeadersAddress(uint64_t* address) const {
  for (const Elf64_Phdr* segment = segments(); segment != segments() + header().e_phnum; segment++) {
    if (segment->p_type == PT_LOAD && header().e_phoff >= segment->p_offset &&
        header().e_phoff - segment->p_offset < segment->p_filesz) {
      *address = segment->p_vaddr + (header().e_phoff - segment->p_offset);
      return true;
    }
  }
  return false;
}

bool ElfFile::BiasOf(uint64_t start, uint64_t offset, uint64_t* bias) const {
  for (const Elf64_Phdr* segment = segments(); segment != segments() + header().e_phnum; segment++) {
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0 &&
        segment->p_offset / kPage == offset / kPage) {
      *bias = start - segment->p_vaddr / kPage * kPage;
      return true;
    }
  }
  return false;
}

const uint8_t* ElfFile::CodeBefore(uint64_t address, size_t size) const {
  for (const Elf64_Phdr* segment = segments(); segment != segments() + header().e_phnum; segment++) {
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0 || address < segment->p_vaddr + size ||
        address - segment->p_vaddr > segment->p_filesz) {
      continue;
    }
    return Table<uint8_t>(segment->p_offset + (address - segment->p_vaddr) - size, size);
  }
  return nullptr;
}

std::unordered_map<uint64_t, std::string> ElfFile::Functions(const std::vector<std::string>& names) const {
  std::unordered_map<uint64_t, std::string> found;
  const Elf64_Shdr* const all = sections();
  if (all == nullptr) return found;
  for (size_t i = 0; i < header().e_shnum; i++) {
    const Elf64_Shdr& section = all[i];
    if ((section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB) ||
        section.sh_link >= header().e_shnum) {
      continue;
    }
    const Elf64_Shdr& strings = all[section.sh_link];
    const size_t count = section.sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym* const symbols = Table<Elf64_Sym>(section.sh_offset, count);
    const char* const text = Table<char>(strings.sh_offset, strings.sh_size);
    if (symbols == nullptr || text == nullptr || strings.sh_size == 0 || text[strings.sh_size - 1] != '\0')
      continue;
    for (size_t j = 0; j < count; j++) {
      const Elf64_Sym& symbol = symbols[j];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value == 0 ||
          symbol.st_name >= strings.sh_size) {
        continue;
      }
      const char* const name = text + symbol.st_name;
      // Its C library's own names for the same function come first or last, by chance: the asked one stays.
      if (std::find(names.begin(), names.end(), name) != names.end()) found.emplace(symbol.st_value, name);
    }
  }
  return found;
}

}  // namespace truefork::trace
