// Watches each child from outside: how long its connection may be silent and how long it may last, and what
// became of it. A child that hangs is ended as surely as one that waits.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "protocol/messages.h"
#include "server/limits/deadlines.h"
#include "server/limits/slots.h"
#include "server/limits/tcp_traffic.h"
#include "speed/arena.h"

namespace truefork {

class Supervisor {
 public:
  // Microseconds; 0: no such limit.
  struct Times {
    int64_t firstByte = 0;   // until the client's first byte
    int64_t idle = 0;        // during which no byte moves, either way
    int64_t connection = 0;  // from accept to the child's end
    int64_t kill = 0;        // from SIGTERM to SIGKILL; 0: SIGKILL at once
  };

  bool ok() const { return slots_.ok(); }

  // What is served already is measured anew.
  void SetTimes(const Times& times);

  // Before the fork: the slot of the child to come.
  uint32_t TakeSlot();
  Slot& SlotOf(uint32_t slot) { return slots_[slot]; }

  // In the parent: this child serves this connection from now on.
  void Watch(uint32_t slot, pid_t pid, int fd, const Address& peer);

  // The child is gone, or was never forked: what its slot says.
  struct Outcome {
    uint64_t bytesIn;
    uint64_t bytesOut;
    protocol::Limit limit;  // by which we have ended it
    bool isOutOfMemory;     // its own last words
    int execErrnum;
  };
  Outcome Leave(uint32_t slot);
  // The same of a child that goes on to serve another.
  Outcome Unwatch(uint32_t slot);

  // When EnforceLimits() has something to do; 0: never.
  int64_t NextDeadline() const { return deadlines_.empty() ? 0 : deadlines_.Next(); }
  void EnforceLimits(int64_t now);

  // The server stops: who is ended from now on, is for that reason.
  void Blame(protocol::Limit limit);

 private:
  struct Watched {
    pid_t pid = 0;  // 0: nobody
    protocol::Limit limit = protocol::Limit::None;
    int64_t since = 0;
    int64_t countedFrom = 0;  // silence before is not held against it
    std::optional<TcpTraffic> traffic = std::nullopt;
    int64_t lastSeen = 0;  // when the kernel, at our last question, had last seen data move
    uint64_t bytesIn = 0;  // what it had counted then
    uint64_t bytesOut = 0;
  };

  void Arm(uint32_t slot);
  void Look(uint32_t slot, int64_t now);
  void AskKernel(uint32_t slot, int64_t now);
  protocol::Limit Overdue(uint32_t slot, int64_t now) const;
  uint64_t BytesIn(uint32_t slot) const;
  int64_t LastActivity(uint32_t slot) const;
  void End(uint32_t slot, protocol::Limit limit, int64_t now);

  Times times_;
  Slots slots_;
  Deadlines deadlines_;
  arena::Vector<Watched> watched_;  // by slot
};

}  // namespace truefork
