// The children: who they are, and how their ends are noticed.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "protocol/usage.h"
#include "server/admission/source.h"
#include "server/child_signal.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

struct Child {
  // The connection that it serves. None: it is a spare, or a worker between two connections.
  struct Serving {
    uint64_t id;
    Time since;
    Source source;
  };
  uint32_t slot;
  std::optional<Serving> serving = std::nullopt;
  Usage before{};  // what it had used when it was done with the connection before
};

struct EndedChild {
  pid_t pid;
  Child child;
  int status;  // as waitpid(2) gives it
  rusage usage;
};

class Children {
 public:
  // False where the pipe of SIGCHLD could not be made; errno says why.
  bool ok() const { return signal_.ok(); }

  // All of them, and those that serve a connection now.
  size_t size() const { return live_.size(); }
  bool empty() const { return live_.empty(); }
  size_t serving() const { return serving_; }

  void Add(pid_t pid, uint32_t slot);
  // A child of the table gets a connection; or it has served it, and goes on.
  void BeginServing(pid_t pid, const Child::Serving& connection);
  Child::Serving EndServing(pid_t pid, const Usage& usedSoFar = {});
  const Child& operator[](pid_t pid) const { return live_.at(pid); }
  bool Has(pid_t pid) const { return live_.count(pid) != 0; }

  void Signal(int signo) const;
  // The process group of each: what a child started, too.
  void SignalGroups(int signo) const;

  // Readable when a child has ended.
  int fd() const { return signal_.fd(); }
  Deadline NextDeadline() const { return sweepAt_; }

  // The lecture's loop: waits for every child that has ended, without blocking, until there is no other. A
  // process that is not in the table, started by the handler's module or adopted, is reaped and not reported.
  using OnEnd = std::function<void(const EndedChild&)>;
  void Reap(Time now, const OnEnd& onEnd);

  // In a child: SIGCHLD is as it was, and the pipe closed.
  void RestoreSignal() { signal_.Restore(); }

 private:
  bool Wait(pid_t which, const OnEnd& onEnd);

  ChildSignal signal_;
  arena::UnorderedMap<pid_t, Child> live_;
  size_t serving_ = 0;
  Deadline sweepAt_;  // when to look for children whose signal was lost
};

}  // namespace truefork
