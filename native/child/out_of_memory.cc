#include "child/out_of_memory.h"

#include <stdlib.h>

#include <new>

#include "child/traffic.h"
#include "support/node_symbols.h"

namespace truefork {

namespace {

// Node's own handler tells what happened, and aborts.
void OnOutOfMemory(const char* location, const void* details) {
  traffic::RanOutOfMemory();
  node_oom_handler(location, details);
  abort();
}

}  // namespace

void NoteOutOfMemory() {
  std::set_new_handler([] {
    traffic::RanOutOfMemory();
    throw std::bad_alloc();
  });
  if (v8_isolate_current && v8_set_oom_handler && node_oom_handler)
    v8_set_oom_handler(v8_isolate_current(), OnOutOfMemory);
}

}  // namespace truefork
