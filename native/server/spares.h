// Children forked ahead of their connections: the fork, and all that a process does first, is off the
// client's path. Each serves one connection and leaves, unless it is told to serve more.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "server/connection.h"
#include "server/handoff.h"
#include "speed/arena.h"

namespace truefork {

class Pool {
 public:
  struct Options {
    uint32_t min = 0;                  // so many are kept ready
    uint32_t max = 0;                  // and so many when there were too few
    uint32_t connectionsPerChild = 1;  // how many each serves before it leaves
  };

  struct Worker {
    pid_t pid;
    int line;  // the zygote's end
    uint32_t slot;
    uint32_t served = 0;
  };

  explicit Pool(const Options& options);
  ~Pool() { CloseDescriptors(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  bool KeepsAny() const { return options_.max > 0; }
  bool Reuses() const { return options_.connectionsPerChild > 1; }
  size_t idle() const { return idle_.size(); }

  // Whether to fork one more, with so many processes there now, and at most so many to be.
  bool WantsMore(size_t processes, size_t most, int64_t now) const;
  // When time alone changes that, or sends some away; 0: it does not.
  int64_t NextDeadline() const;

  // A worker that waits for its first connection: the last in the row, for it has yet to make itself ready.
  void AddIdle(const Worker& worker) { idle_.insert(idle_.begin(), worker); }
  // One that was forked for a connection, and may serve more.
  void AddBusy(const Worker& worker) { busy_.emplace(worker.pid, worker); }

  // Gives the connection to the worker that has served last, whose memory is warmest; or else to the one that
  // has waited longest.
  std::optional<Worker> HandOver(const Connection& connection, int64_t now);

  // A line on which workers say that they have served a connection: one for all. -1: nobody will.
  int doneFd() const { return done_[0]; }
  // The next that said so, and is idle from now on.
  std::optional<Worker> NextDone();

  // The workers' end of it.
  int doneLine() const { return done_[1]; }

  void PauseAfterFailure(int64_t now);
  // A process has ended. One that was idle, and had not been sent away, has failed: the next are forked
  // later.
  void Forget(pid_t pid, int64_t now);

  // Those who were too many for a while are sent away.
  void Trim(int64_t now);
  // No more connections: the idle leave, and the busy when they have served what they have.
  void Dismiss();
  // In a child: other people's lines.
  void CloseDescriptors();

 private:
  int64_t MayForkAt() const;
  void SendAway(const Worker& worker) const;

  Options options_;
  uint32_t wanted_;             // between min and max
  arena::Vector<Worker> idle_;  // the next is at the back
  arena::UnorderedMap<pid_t, Worker> busy_;
  int done_[2] = {-1, -1};
  bool isDismissed_ = false;
  int64_t lastConnection_ = 0;
  int64_t pausedUntil_ = 0;
  int64_t pause_ = 0;
};

}  // namespace truefork
