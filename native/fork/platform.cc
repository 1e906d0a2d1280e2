#include "fork/platform.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// node::NodePlatform, the platform that Node gives to V8: its table of virtual functions, and the two in it
// that take a task for a worker thread, by their names until and since Node 22. Exported by every Node from
// 20 to 26.
extern "C" {
__attribute__((weak)) extern const void* node_platform_vtable[] __asm__("_ZTVN4node12NodePlatformE");
__attribute__((weak)) void node_platform_call() __asm__(
    "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE");
__attribute__((weak)) void node_platform_call_delayed() __asm__(
    "_ZN4node12NodePlatform25CallDelayedOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EEd");
__attribute__((weak)) void node_platform_post() __asm__(
    "_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14"
    "default_deleteIS4_EERKNS1_14SourceLocationE");
__attribute__((weak)) void node_platform_post_delayed() __asm__(
    "_ZN4node12NodePlatform33PostDelayedTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4Task"
    "ESt14default_deleteIS4_EEdRKNS1_14SourceLocationE");
}

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
