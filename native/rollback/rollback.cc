#include "rollback/rollback.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <new>

#include "rollback/jump.h"
#include "rollback/kernel_state.h"
#include "rollback/memory.h"
#include "rollback/template.h"
#include "support/raw_syscall.h"

namespace truefork::rollback {

namespace {

constexpr size_t kStackSize = 256 * 1024;

// All that lies outside the snapshot.
struct Control {
  Registers mark;
  pid_t pid;
  bool isCaptured;
  bool verifies;
  std::atomic<uint32_t>* replacedFor;
  rusage atBegin;
  Served served;
  KernelState kernel;
  Memory memory;
};

Template pages;
bool verifiesPages = false;
int procFolder = -1;
Region room;
Region stack;
Control* control = nullptr;

[[noreturn]] void ExitFor(Reason reason) {
  control->replacedFor->store(static_cast<uint32_t>(reason), std::memory_order_relaxed);
  RawSyscall(SYS_exit_group, 0);
  __builtin_trap();
}

uint64_t BlockSignals() {
  const uint64_t all = ~uint64_t{0};
  uint64_t before = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, RawPointer(&all), RawPointer(&before), sizeof all);
  return before;
}

timeval Minus(timeval a, const timeval& b) {
  a.tv_sec -= b.tv_sec;
  a.tv_usec -= b.tv_usec;
  if (a.tv_usec < 0) {
    a.tv_sec--;
    a.tv_usec += 1'000'000;
  }
  return a;
}

// maxrss is the process's, not a connection's.
void Account(const rusage& now) {
  const rusage& then = control->atBegin;
  rusage& used = control->served.usage;
  used = now;
  used.ru_utime = Minus(now.ru_utime, then.ru_utime);
  used.ru_stime = Minus(now.ru_stime, then.ru_stime);
  used.ru_minflt -= then.ru_minflt;
  used.ru_majflt -= then.ru_majflt;
  used.ru_nvcsw -= then.ru_nvcsw;
  used.ru_nivcsw -= then.ru_nivcsw;
}

// The two below run on the stack of their own, while nothing else in this process does.

[[noreturn]] void Capture() {
  control->isCaptured = control->memory.Capture(pages);
  control->kernel.RestoreSignalMask();
  truefork_jump_back(&control->mark);
}

[[noreturn]] void Restore() {
  rusage usage{};
  RawSyscall(SYS_getrusage, RUSAGE_SELF, RawPointer(&usage));
  Account(usage);
  Reason reason = control->kernel.RestoreDescriptors();
  if (reason == Reason::None) reason = control->kernel.RestoreRest();
  if (reason == Reason::None) reason = control->memory.Restore();
  if (reason == Reason::None && control->verifies && !control->memory.Verify()) reason = Reason::Verify;
  if (reason != Reason::None) ExitFor(reason);
  control->served.rollbacks++;
  control->served.wasSlow = control->memory.wasSlow();
  control->kernel.RestoreSignalMask();
  truefork_jump_back(&control->mark);
}

uint8_t* Top(const Region& of) { return of.data() + of.size(); }

}  // namespace

void Prepare(bool verifies) {
  verifiesPages = verifies;
  if (!kCanJump || sysconf(_SC_PAGESIZE) != static_cast<long>(kPage)) return;
  procFolder = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  pages.Make();
}

bool PrepareWorker(const Worker& worker) {
  // khugepaged would make shared pages this process's own, and writable, without a fault to tell of it.
  if (!pages.IsMade() || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) return false;
  if (!room.Map(sizeof(Control)) || !stack.Map(kStackSize)) return false;
  control = new (room.data()) Control;
  control->pid = getpid();
  control->verifies = verifiesPages;
  control->replacedFor = worker.replacedFor;
  if (!control->kernel.Prepare(procFolder, worker.epollFd, worker.drained, 2)) return false;
  procFolder = -1;
  Range excluded[Memory::kMostExcluded] = {room.WithGuards(), stack.WithGuards()};
  const size_t count = 2 + pages.Ranges(excluded + 2);
  return control->memory.Prepare(control->kernel.files(), excluded, count, verifiesPages);
}

bool Mark() {
  const uint64_t mask = BlockSignals();
  if (!control->kernel.Capture(mask)) {
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, RawPointer(&mask), 0, sizeof mask);
    return false;
  }
  if (truefork_save_registers(&control->mark) == 0) truefork_call_on_stack(Top(stack), Capture);
  return control->isCaptured;
}

const Served& LastServed() { return control->served; }

void BeginConnection() {
  getrusage(RUSAGE_SELF, &control->atBegin);
  room.Protect(PROT_READ);
}

void RollBack() {
  if (control == nullptr || !control->isCaptured || control->pid != RawSyscall(SYS_getpid)) return;
  BlockSignals();
  room.Protect(PROT_READ | PROT_WRITE);
  truefork_call_on_stack(Top(stack), Restore);
}

void GiveUp() {
  if (control != nullptr) control->isCaptured = false;
}

}  // namespace truefork::rollback
