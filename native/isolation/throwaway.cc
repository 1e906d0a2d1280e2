#include "isolation/throwaway.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/raw_syscall.h"

namespace truefork {

namespace {

struct Task {
  int (*body)(const void*);
  const void* argument;
  int result;
  alignas(16) char stack[16 * 1024];
};

__attribute__((no_sanitize_address)) int Run(void* given) {
  auto* task = static_cast<Task*>(given);
  task->result = task->body(task->argument);
  for (;;) RawSyscall(SYS_exit_group, 0);
}

}  // namespace

int RunThrowaway(int (*body)(const void*), const void* argument) {
  Task task;
  task.body = body;
  task.argument = argument;
  task.result = -ECHILD;  // killed before it had an answer
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);  // a handler would run on the parent's variables
  const pid_t pid = clone(Run, task.stack + sizeof task.stack, CLONE_VM | CLONE_VFORK, &task);
  const int errnum = errno;
  if (pid > 0) waitpid(pid, nullptr, __WCLONE);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return pid > 0 ? task.result : -errnum;
}

}  // namespace truefork
