#include "speed/settle_malloc.h"

#include <malloc.h>
#include <stdlib.h>

#include "speed/switches.h"

namespace truefork {

void SettleMalloc() {
#ifdef __GLIBC__
  if (!speed::IsOn(speed::Measure::SettledMalloc)) return;
  mallopt(M_MXFAST, 64 * sizeof(size_t) / 4);  // consolidates; the value is the default
  free(malloc(64 * 1024));                     // sorts what is free into bins
#endif
}

}  // namespace truefork
