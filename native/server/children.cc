#include "server/children.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace truefork {

void Children::Reap(const Ended& ended) {
  while (Wait(-1, ended)) continue;
}

void Children::Reap(const arena::Vector<pid_t>& pids, const Ended& ended) {
  for (const pid_t pid : pids) Wait(pid, ended);
}

bool Children::Wait(pid_t which, const Ended& ended) {
  int status;
  rusage usage;
  const pid_t pid = wait4(which, &status, WNOHANG, &usage);
  if (pid <= 0) return false;
  const auto found = live_.find(pid);
  if (found == live_.end()) return true;
  const Child child = found->second;
  live_.erase(found);
  ended(pid, child, status, usage);
  return true;
}

void Children::Signal(int signo) const {
  for (const auto& [pid, child] : live_) kill(pid, signo);
}

namespace {

int wakeUp = -1;

void OnChildSignal(int, siginfo_t* info, void*) {
  const int saved = errno;
  // Full means that a wake-up is on its way already.
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
