#include "speed/garbage.h"

#include "support/node_symbols.h"

namespace truefork {

void CollectAllGarbage() {
  if (v8_isolate_current && v8_low_memory) v8_low_memory(v8_isolate_current());
}

}  // namespace truefork
