#include "speed/garbage.h"

#include "speed/switches.h"
#include "support/node_symbols.h"

namespace truefork {

void CollectAllGarbage() {
  if (!speed::IsOn(speed::Measure::Garbage)) return;
  if (v8_isolate_current && v8_low_memory) v8_low_memory(v8_isolate_current());
}

}  // namespace truefork
