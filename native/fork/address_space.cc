#include "fork/address_space.h"

#include <stdio.h>
#include <sys/mman.h>

#include <cinttypes>

namespace truefork {

void MakeAddressSpaceCopyable() {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  char line[512];
  bool atLineStart = true;  // a long path makes one mapping span several reads
  while (fgets(line, sizeof line, maps) != nullptr) {
    uintptr_t start, end;
    char permissions[5];
    if (atLineStart && sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &start, &end, permissions) == 3 &&
        permissions[3] == 'p') {
      // The kernel's own mappings ([vvar] and the like) say EINVAL and are copied anyway.
      madvise(reinterpret_cast<void*>(start), end - start, MADV_DOFORK);
    }
    atLineStart = false;
    for (const char* at = line; *at != '\0'; at++) atLineStart = *at == '\n';
  }
  fclose(maps);
}

}  // namespace truefork
