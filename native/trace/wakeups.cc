#include "trace/wakeups.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>

namespace truefork::trace {

namespace {

int wakeupPipe = -1;
std::atomic<bool> askedToEnd{false};

// Any thread of this process may run it: Node's own do not block signals.
void Wake(int signal) {
  const int saved = errno;
  if (signal == SIGTERM || signal == SIGHUP) askedToEnd = true;
  [[maybe_unused]] const ssize_t written = write(wakeupPipe, "", 1);
  errno = saved;
}

}  // namespace

Wakeups::Wakeups() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  read_ = ends[0];
  wakeupPipe = ends[1];
  struct sigaction action = {};
  action.sa_handler = Wake;
  action.sa_flags = SA_RESTART;
  // Ctrl-C and Ctrl-\ at the terminal are the program's, which hears them as well: what it makes of them is
  // traced.
  for (const int signal : {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT}) sigaction(signal, &action, nullptr);
}

Wakeups::~Wakeups() {
  for (const int signal : {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT}) ::signal(signal, SIG_IGN);
  if (read_ < 0) return;
  close(read_);
  close(wakeupPipe);
}

void Wakeups::Take() const {
  char bytes[256];
  while (read(read_, bytes, sizeof bytes) > 0) {
  }
}

bool Wakeups::AskedToEnd() { return askedToEnd; }

}  // namespace truefork::trace
