#include "server/child_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace truefork {

namespace {

int wakeUp = -1;

void OnChildSignal(int, siginfo_t* info, void*) {
  const int saved = errno;
  // Where the pipe is full, a wake-up is on its way already.
  [[maybe_unused]] const ssize_t written = write(wakeUp, &info->si_pid, sizeof info->si_pid);
  errno = saved;
}

}  // namespace

ChildSignal::ChildSignal() {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) return;
  wakeUp = pipe_[1];
  struct sigaction action {};
  action.sa_sigaction = OnChildSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP;
  sigemptyset(&action.sa_mask);
  sigaction(SIGCHLD, &action, &before_);
}

arena::Vector<pid_t> ChildSignal::Drain() {
  arena::Vector<pid_t> pids;
  pid_t some[64];
  ssize_t size;
  while ((size = read(pipe_[0], some, sizeof some)) > 0)
    pids.insert(pids.end(), some, some + size / sizeof some[0]);
  return pids;
}

void ChildSignal::Restore() {
  if (!ok()) return;
  sigaction(SIGCHLD, &before_, nullptr);
  close(pipe_[0]);
  close(pipe_[1]);
  pipe_[0] = pipe_[1] = -1;
}

}  // namespace truefork
