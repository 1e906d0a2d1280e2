#include "child/out_of_memory.h"

#include <stdlib.h>

#include <new>

#include "child/traffic.h"
#include "support/node_symbols.h"

// V8's and Node's own, found as in node_symbols.h.
extern "C" {
using OutOfMemory = void (*)(const char* location, const void* details);
__attribute__((weak)) void v8_set_oom_handler(void* isolate, OutOfMemory handler) __asm__(
    "_ZN2v87Isolate18SetOOMErrorHandlerEPFvPKcRKNS_10OOMDetailsEE");
__attribute__((weak)) void node_oom_handler(const char* location, const void* details) __asm__(
    "_ZN4node15OOMErrorHandlerEPKcRKN2v810OOMDetailsE");
}

namespace truefork {

namespace {

// Node's own handler prints what happened, and aborts.
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
