// Children forked ahead of their connections (Apache calls this prefork): the fork, and everything that a
// process does first, is off the client's path. With `connectionsPerChild` above 1 they are workers, which
// come back for another connection when they have served one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "protocol/connection.h"
#include "protocol/handoff.h"
#include "server/backoff.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

class Spares {
 public:
  struct Options {
    uint32_t min = 0;                  // so many are kept ready
    uint32_t max = 0;                  // and at most so many, after there were too few
    uint32_t connectionsPerChild = 1;  // how many each serves before it exits
    bool rollsBack = false;            // each puts its memory back to what it was, after each of them
  };

  struct Worker {
    pid_t pid;
    int channel;  // the zygote's end of its hand-off channel
    uint32_t slot;
    uint32_t served = 0;
  };
  struct DoneWorker : Worker {
    Done done;
  };

  explicit Spares(const Options& options);
  ~Spares() { CloseDescriptors(); }
  Spares(const Spares&) = delete;
  Spares& operator=(const Spares&) = delete;

  bool RollsBack() const { return options_.rollsBack && Reuses(); }
  bool Reuses() const { return options_.connectionsPerChild > 1; }
  size_t idle() const { return idle_.size(); }

  // Whether to fork one more, where there are `processes` children and may be `maximum`.
  bool WantsMore(size_t processes, size_t maximum, Time now) const;
  void OnForkFailure(Time now) { backoff_.OnFailure(now); }

  // A worker that waits for its first connection. It is the last in line, because it has yet to become ready.
  void AddIdle(const Worker& worker, Time now);
  // A worker that was forked for a connection, and comes back.
  void AddBusy(const Worker& worker);

  // Passes the connection to the worker that has served last, whose memory is warmest; where none has served,
  // to the one that has waited longest. Nothing where no worker is idle.
  std::optional<Worker> HandOff(const Connection& client, Time now);

  // Readable when workers have something to say; -1 where none ever will.
  int doneFd() const { return epoll_; }
  // The next worker that has served its connection, and is idle from now on.
  std::optional<DoneWorker> NextDone(Time now);

  // A child has ended. A spare that was not dismissed should not end: then the next forks wait.
  void Forget(pid_t pid, Time now);

  // When the passing of time makes WantsMore() true, or has Trim() dismiss some.
  Deadline NextDeadline(Time now) const;
  // Dismisses the spares above `min`, when they have not been needed for a while.
  void Trim(Time now);

  // No connections follow: idle workers are dismissed now, busy ones when they are done.
  void DismissAll();

  // In a child: the channels of its siblings.
  void CloseDescriptors();

 private:
  Time MayForkAt() const;
  bool Watch(const Worker& worker) const;
  void Close(const Worker& worker) const;

  Options options_;
  uint32_t wanted_;             // between min and max
  arena::Vector<Worker> idle_;  // the next is at the back
  arena::UnorderedMap<pid_t, Worker> busy_;
  int epoll_ = -1;  // of all channels, where workers come back
  bool isDismissed_ = false;
  Time lastConnection_{};
  Backoff backoff_;
};

}  // namespace truefork
