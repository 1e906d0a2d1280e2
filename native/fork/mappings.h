#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace truefork {

struct Mapping {
  uintptr_t start, end;
  int protection;  // PROT_…
  bool shared;
  uint64_t inode;    // 0: no file
  std::string path;  // or a name such as "[heap]"
};

// What this process has mapped (proc(5), /proc/self/maps).
std::vector<Mapping> Mappings();

}  // namespace truefork
