#include "trace/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "trace/memory.h"
#include "trace/registers.h"

namespace truefork::trace {

namespace {

constexpr size_t kStackWords = 1024;
constexpr size_t kMostCallers = 8;

uint64_t AuxiliaryValue(pid_t pid, uint64_t type) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/auxv", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  uint64_t pairs[128][2];
  const ssize_t length = read(fd, pairs, sizeof pairs);
  close(fd);
  for (ssize_t i = 0; i < length / static_cast<ssize_t>(sizeof pairs[0]); i++) {
    if (pairs[i][0] == type) return pairs[i][1];
  }
  return 0;
}

}  // namespace

std::unique_ptr<const Image> Image::Load(pid_t pid, const std::string& path) {
  auto image = std::make_unique<Image>();
  std::unique_ptr<const ElfFile> file = ElfFile::Open(path);
  uint64_t headers = 0;
  if (file == nullptr || !file->HasSection(".debug_line") || !file->HeadersAddress(&headers)) return image;
  const uint64_t loaded = AuxiliaryValue(pid, AT_PHDR);
  if (loaded == 0) return image;
  image->file = std::move(file);
  image->bias = loaded - headers;
  return image;
}

std::vector<uint64_t> Image::Callers(pid_t tid, uint64_t stack) const {
  std::vector<uint64_t> callers;
  if (file == nullptr) return callers;
  std::vector<uint64_t> words(kStackWords);
  words.resize(ReadMemory(tid, stack, words.data(), kStackWords * sizeof(uint64_t)) / sizeof(uint64_t));
#if defined(__aarch64__)
  uint64_t instruction, top, link;
  if (ReadInstruction(tid, &instruction, &top, &link)) words.insert(words.begin(), link);
#endif
  for (const uint64_t word : words) {
    const uint64_t address = word - bias;
    const uint8_t* const code = file->CodeBefore(address, kLongestCall);
    if (code == nullptr || !EndsWithCall(code + kLongestCall)) continue;
    callers.push_back(address);
    if (callers.size() == kMostCallers) break;
  }
  return callers;
}

#if defined(__x86_64__)
bool EndsWithCall(const uint8_t* end) {
  if (end[-5] == 0xe8) return true;                     // call rel32
  const auto isIndirect = [&](int length, int modes) {  // call r/m64: opcode ff, with /2 in the ModRM byte
    const uint8_t modRm = end[-length + 1];
    return end[-length] == 0xff && (modRm & 0x38) == 0x10 && modRm >> 6 == modes;
  };
  if (isIndirect(2, 3)) return true;                              // by a register
  if (isIndirect(6, 2) || (isIndirect(6, 0) && end[-5] == 0x15))  // [register + disp32], [rip + disp32]
    return true;
  return isIndirect(3, 1) || isIndirect(4, 1) || isIndirect(2, 0) || isIndirect(7, 2) || isIndirect(3, 0);
}
#else
bool EndsWithCall(const uint8_t* end) {
  uint32_t instruction;
  memcpy(&instruction, end - sizeof instruction, sizeof instruction);
  return (instruction & 0xfc000000) == 0x94000000 || (instruction & 0xfffffc1f) == 0xd63f0000;  // bl, blr
}
#endif

}  // namespace truefork::trace
