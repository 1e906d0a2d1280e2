#include "fork/platform.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <memory>

#include "fork/signals.h"
#include "support/libc.h"
#include "support/node_symbols.h"

TRUEFORK_THREADS_OF_ANY_GLIBC;

namespace truefork {

// v8::Task, as the Itanium C++ ABI lays it out. It is declared only: V8's classes define it. In the unnamed
// namespace the compiler would take it that there are none, and call the pure function.
class Task {
 public:
  virtual ~Task();
  virtual void Run() = 0;
};

namespace {

constexpr int kMostVirtualFunctions =
    64;  // the table has some 25; a name that is not found in it changes nothing

// In the place of what posts a task for now. A std::unique_ptr is passed by reference to one that the caller
// destroys (Itanium C++ ABI, 3.1.2.3): a task that is not taken out of it is deleted right after this call.
void Drop() {}

struct DelayedTask {
  Task* task;
  timespec delay;
};

void* RunAfterDelay(void* given) {
  const auto delayed = std::unique_ptr<DelayedTask>(static_cast<DelayedTask*>(given));
  const auto task = std::unique_ptr<Task>(delayed->task);
  while (nanosleep(&delayed->delay, &delayed->delay) != 0 && errno == EINTR) continue;
  task->Run();
  return nullptr;
}

// In the place of what posts a task for later. With --single-threaded it is the debugger alone that does so:
// the task interrupts a Runtime.evaluate that takes longer than it may, so it needs a thread.
void RunOnThread(Task** given, double seconds) {
  const double whole = std::floor(seconds);
  auto delayed = std::make_unique<DelayedTask>(
      DelayedTask{*given, {static_cast<time_t>(whole), static_cast<long>((seconds - whole) * 1e9)}});
  AllSignalsBlocked untilItIsStarted;  // a thread takes over the mask, and signals are the main thread's
  pthread_t thread;
  if (pthread_create(&thread, nullptr, RunAfterDelay, delayed.get()) != 0) return;
  *given = nullptr;
  delayed.release();  // NOLINT(bugprone-unused-return-value): the thread deletes both
  pthread_detach(thread);
}

void PostDelayedInNode20(void*, Task** task, double seconds) { RunOnThread(task, seconds); }
void PostDelayed(void*, int, Task** task, double seconds) { RunOnThread(task, seconds); }

bool Replace(const void** entry, const void* by) {
  const auto pageSize = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto* page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(entry) & ~(pageSize - 1));
  if (mprotect(page, pageSize, PROT_READ | PROT_WRITE) != 0) return false;
  *entry = by;
  return mprotect(page, pageSize, PROT_READ) == 0;
}

// One of the two names of a function is in this Node, as `before` or as `since`.
struct Replacement {
  void (*before)();
  const void* byBefore;
  void (*since)();
  const void* bySince;
};

bool ReplaceInTable(const Replacement& wanted) {
  const bool isNew = wanted.since != nullptr;
  void (*function)() = isNew ? wanted.since : wanted.before;
  if (function == nullptr) return false;
  for (int i = 0; i < kMostVirtualFunctions; i++)
    if (node_platform_vtable[i] == reinterpret_cast<const void*>(function))
      return Replace(&node_platform_vtable[i], isNew ? wanted.bySince : wanted.byBefore);
  return false;
}

template <typename Function>
const void* Address(Function* function) {
  return reinterpret_cast<const void*>(function);
}

bool replaced = false;

}  // namespace

bool DoWithoutWorkerThreads() {
  if (replaced || node_platform_vtable == nullptr) return replaced;
  replaced = ReplaceInTable({node_platform_call, Address(Drop), node_platform_post, Address(Drop)}) &&
             ReplaceInTable({node_platform_call_delayed, Address(PostDelayedInNode20),
                             node_platform_post_delayed, Address(PostDelayed)});
  return replaced;
}

}  // namespace truefork
