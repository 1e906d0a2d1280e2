#include "speed/garbage.h"

#include "support/node_symbols.h"

extern "C" __attribute__((weak)) void v8_low_memory(void* isolate) __asm__(
    "_ZN2v87Isolate21LowMemoryNotificationEv");

namespace truefork {

void CollectAllGarbage() {
  if (v8_isolate_current && v8_low_memory) v8_low_memory(v8_isolate_current());
}

}  // namespace truefork
