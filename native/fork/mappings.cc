#include "fork/mappings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cinttypes>

namespace truefork {

std::vector<Mapping> Mappings() {
  std::vector<Mapping> mappings;
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return mappings;
  char* line = nullptr;
  size_t room = 0;
  while (getline(&line, &room, maps) > 0) {
    Mapping mapping{};
    char permissions[5];
    int path = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %" SCNu64 " %n", &mapping.start, &mapping.end,
               permissions, &mapping.inode, &path) != 4)
      continue;
    mapping.protection = (permissions[0] == 'r' ? PROT_READ : 0) | (permissions[1] == 'w' ? PROT_WRITE : 0) |
                         (permissions[2] == 'x' ? PROT_EXEC : 0);
    mapping.shared = permissions[3] == 's';
    mapping.path = line + path;
    if (!mapping.path.empty() && mapping.path.back() == '\n') mapping.path.pop_back();
    mappings.push_back(std::move(mapping));
  }
  free(line);
  fclose(maps);
  return mappings;
}

}  // namespace truefork
