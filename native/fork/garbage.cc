#include "fork/garbage.h"

// v8::Isolate::GetCurrent() and v8::Isolate::LowMemoryNotification(), exported by every Node from 20 to 26.
extern "C" {
__attribute__((weak)) void* isolate_get_current() __asm__("_ZN2v87Isolate10GetCurrentEv");
__attribute__((weak)) void isolate_low_memory(void* isolate) __asm__(
    "_ZN2v87Isolate21LowMemoryNotificationEv");
}

namespace truefork {

bool CollectAllGarbage() {
  if (isolate_get_current == nullptr || isolate_low_memory == nullptr) return false;
  isolate_low_memory(isolate_get_current());
  return true;
}

}  // namespace truefork
