// SIGCHLD as a descriptor that poll(2) can wait for: the self-pipe trick.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "speed/arena.h"

namespace truefork {

// The handler writes the pid that the signal is about to a pipe, and does nothing else. A signalfd(2) would
// need the signal blocked in every thread, and Node's own threads do not block it. There can be one at a
// time, because a signal has one handler.
class ChildSignal {
 public:
  ChildSignal();
  ~ChildSignal() { Restore(); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;

  // False where pipe(2) failed; errno says why.
  bool ok() const { return pipe_[0] >= 0; }
  int fd() const { return pipe_[0]; }

  // The pids that signals came for. Signals that come while one is pending are lost (signal(7)), so others
  // may have ended as well.
  arena::Vector<pid_t> Drain();

  // Gives SIGCHLD its former disposition back, and closes the pipe.
  void Restore();

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction before_ {};
};

}  // namespace truefork
