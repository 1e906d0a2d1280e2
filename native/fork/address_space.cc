#include "fork/address_space.h"

#include <sys/mman.h>

#include "fork/mappings.h"

namespace truefork {

void MakeAddressSpaceCopyable() {
  for (const Mapping& mapping : Mappings()) {
    // The kernel's own mappings ([vvar] and the like) say EINVAL and are copied anyway.
    if (!mapping.shared)
      madvise(reinterpret_cast<void*>(mapping.start), mapping.end - mapping.start, MADV_DOFORK);
  }
}

}  // namespace truefork
