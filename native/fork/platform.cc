#include "fork/platform.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/node_symbols.h"

namespace truefork {

namespace {

constexpr int kMostVirtualFunctions =
    64;  // the table has some 25; a name that is not found in it changes nothing

// In the place of both functions. A std::unique_ptr is passed by reference to one that the caller destroys
// (Itanium C++ ABI, 3.1.2.3): a task that is not taken out of it is deleted right after this call.
void Drop() {}

bool Replace(const void** entry) {
  const auto pageSize = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto* page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(entry) & ~(pageSize - 1));
  if (mprotect(page, pageSize, PROT_READ | PROT_WRITE) != 0) return false;
  *entry = reinterpret_cast<const void*>(Drop);
  return mprotect(page, pageSize, PROT_READ) == 0;
}

bool ReplaceInTable(void (*before)(), void (*since)()) {
  void (*function)() = since != nullptr ? since : before;
  if (function == nullptr) return false;
  for (int i = 0; i < kMostVirtualFunctions; i++)
    if (node_platform_vtable[i] == reinterpret_cast<const void*>(function))
      return Replace(&node_platform_vtable[i]);
  return false;
}

bool dropped = false;

}  // namespace

bool DropTasksForThreads() {
  if (dropped || node_platform_vtable == nullptr) return dropped;
  dropped = ReplaceInTable(node_platform_call, node_platform_post) &&
            ReplaceInTable(node_platform_call_delayed, node_platform_post_delayed);
  return dropped;
}

}  // namespace truefork
