// The processes that serve connections now.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "server/admission/source.h"
#include "speed/arena.h"

namespace truefork {

struct Child {
  uint64_t id;         // of its connection; 0: it waits for one
  int64_t startedAt;   // NowMicros()
  uint32_t slot = 0;   // the supervisor's
  Source source = {};  // where its client comes from
};

class Children {
 public:
  void Add(pid_t pid, Child child) { live_.emplace(pid, child); }
  Child& operator[](pid_t pid) { return live_[pid]; }
  size_t size() const { return live_.size(); }
  bool empty() const { return live_.empty(); }

  using Ended = std::function<void(pid_t, const Child&, int status, const rusage&)>;

  // The lecture's loop: waits for every child that has ended, without blocking. A process that is not in the
  // table (something the handler's module started) is reaped and not told of.
  void Reap(const Ended& ended);

  // The same for these alone. The kernel finds one by its id at once; to find any, it looks through all.
  void Reap(const arena::Vector<pid_t>& pids, const Ended& ended);

  void Signal(int signo) const;

 private:
  bool Wait(pid_t which, const Ended& ended);

  arena::UnorderedMap<pid_t, Child> live_;
};

// SIGCHLD as something that poll(2) can wait for: the handler writes whom it is about to a pipe, and does
// nothing else. A
// signalfd would need the signal blocked in every thread of the process, and Node's own do not block it.
class ChildSignal {
 public:
  ChildSignal();
  ~ChildSignal() { Restore(); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;

  int fd() const { return pipe_[0]; }
  bool ok() const { return pipe_[0] >= 0; }

  // Of whom there was a signal. Signals that come while one is pending are lost (signal(7)), so that others
  // may have ended as well.
  arena::Vector<pid_t> Drain();

  // Gives back the disposition that SIGCHLD had, and closes the pipe.
  void Restore();

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction before_ {};
};

}  // namespace truefork
