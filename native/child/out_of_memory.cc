#include "child/out_of_memory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <new>

#include "child/traffic.h"
#include "support/node_symbols.h"

namespace truefork {

namespace {

// Node's own handler prints what happened, and aborts.
void OnOutOfMemory(const char* location, const void* details) {
  traffic::RanOutOfMemory();
  node_oom_handler(location, details);
  abort();
}

struct sigaction actionBefore;

bool HasRoom() {
  constexpr size_t kLeastGrowth =
      1 << 20;  // malloc(3) asks the kernel for this much at the least, where brk(2) fails
  void* const room = mmap(nullptr, kLeastGrowth, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  munmap(room, kLeastGrowth);
  return true;
}

// V8's collector does not check the result of malloc(3) for its work lists, and faults at the null pointer. A
// fault in a process that has no room left is taken for such a one. Whatever handled the signal before
// handles it still: Node does, for traps of WebAssembly.
void OnSegmentationFault(int signo, siginfo_t* info, void* context) {
  if (!HasRoom()) traffic::RanOutOfMemory();
  if (actionBefore.sa_flags & SA_SIGINFO) return actionBefore.sa_sigaction(signo, info, context);
  // The default: the instruction faults again on return. A signal that was sent has to be sent again.
  sigaction(signo, &actionBefore, nullptr);
  if (info->si_code <= 0) raise(signo);
}

}  // namespace

void NoteOutOfMemory() {
  struct sigaction action = {};
  action.sa_sigaction = OnSegmentationFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &actionBefore);
  std::set_new_handler([] {
    traffic::RanOutOfMemory();
    throw std::bad_alloc();
  });
  if (v8_isolate_current && v8_set_oom_handler && node_oom_handler)
    v8_set_oom_handler(v8_isolate_current(), OnOutOfMemory);
}

}  // namespace truefork
