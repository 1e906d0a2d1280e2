// The program that a process executes: where in its own code a call came from.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trace/elf_file.h"

namespace truefork::trace {

struct Image {
  // Never nullptr: a program without line numbers has no callers.
  static std::unique_ptr<const Image> Load(pid_t pid, const std::string& path);

  // Return addresses in the program's file, nearest first: words on the stack that point behind a call
  // instruction. A word of an earlier call can be among them, as can be no frame without one.
  std::vector<uint64_t> Callers(pid_t tid, uint64_t stack) const;

  std::unique_ptr<const ElfFile> file;
  uint64_t bias = 0;
};

// Whether the code that ends here ends with a call instruction; at least kLongestCall bytes of it.
constexpr size_t kLongestCall = 7;
bool EndsWithCall(const uint8_t* end);

}  // namespace truefork::trace
