#include "serve/children.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace truefork {

void Children::Reap(const std::function<void(pid_t, const Child&, int status, const rusage&)>& ended) {
  pid_t pid;
  int status;
  rusage usage;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    const auto found = live_.find(pid);
    if (found == live_.end()) continue;
    const Child child = found->second;
    live_.erase(found);
    ended(pid, child, status, usage);
  }
}

void Children::Signal(int signo) const {
  for (const auto& [pid, child] : live_) kill(pid, signo);
}

namespace {

int wakeUp = -1;

void OnChildSignal(int) {
  const int saved = errno;
  // Full means that a wake-up is on its way already.
  [[maybe_unused]] const ssize_t written = write(wakeUp, "", 1);
  errno = saved;
}

}  // namespace

ChildSignal::ChildSignal() {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) return;
  wakeUp = pipe_[1];
  struct sigaction action {};
  action.sa_handler = OnChildSignal;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigemptyset(&action.sa_mask);
  sigaction(SIGCHLD, &action, &before_);
}

void ChildSignal::Drain() {
  char many[64];
  while (read(pipe_[0], many, sizeof many) > 0) continue;
}

void ChildSignal::Restore() {
  if (!ok()) return;
  sigaction(SIGCHLD, &before_, nullptr);
  close(pipe_[0]);
  close(pipe_[1]);
  pipe_[0] = pipe_[1] = -1;
}

}  // namespace truefork
