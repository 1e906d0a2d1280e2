// The limits on the time of a connection, enforced from outside: a child that hangs is ended as surely as one
// that waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "isolation/process_tree.h"
#include "protocol/messages.h"
#include "server/limits/deadlines.h"
#include "server/limits/slots.h"
#include "server/limits/tcp_traffic.h"
#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

class ConnectionTimeouts {
 public:
  struct Times {
    std::optional<Duration> firstByte = {};   // until the client's first byte
    std::optional<Duration> idle = {};        // during which no byte moves, in either direction
    std::optional<Duration> connection = {};  // from accept to the child's end
    Duration killDelay{0};                    // from SIGTERM to SIGKILL; 0: SIGKILL at once
  };

  ConnectionTimeouts(Slots& slots, const ProcessTree& tree) : slots_(slots), tree_(tree) {}

  // They apply to connections that are served already, too.
  void SetTimes(const Times& times);
  void SetTimes(const protocol::TimesCommand& command);

  Duration killDelay() const { return times_.killDelay; }

  // In the parent: the child with this slot serves this connection from now on.
  void Watch(uint32_t slot, pid_t pid, int fd, const Address& peer);

  // Its connection has ended. The slot is cleared.
  struct Outcome {
    uint64_t bytesIn = 0;
    uint64_t bytesOut = 0;
    protocol::Limit limit = protocol::Limit::None;  // by which it was ended
    bool isOutOfMemory = false;                     // as the child says
    int execErrnum = 0;
    uint32_t replacedFor = 0;  // rollback::Reason, as the child says
  };
  Outcome Unwatch(uint32_t slot);

  Deadline NextDeadline() const { return deadlines_.Next(); }
  void Enforce(Time now);

  // Every connection that lasts is ended by this limit.
  void Blame(protocol::Limit limit);

 private:
  struct Watched {
    pid_t pid = 0;  // 0: the slot is not watched
    protocol::Limit limit = protocol::Limit::None;
    Time since{};
    Time countedFrom{};  // idle time before this does not count
    std::optional<TcpTraffic> traffic = std::nullopt;
    Time lastSeen{};       // when the kernel, last asked, had last seen data move
    uint64_t bytesIn = 0;  // and what it had counted
    uint64_t bytesOut = 0;
  };

  void Arm(uint32_t slot, Time now);
  void Check(uint32_t slot, Time now);
  void AskKernel(uint32_t slot, Time now);
  protocol::Limit Overdue(uint32_t slot, Time now) const;
  uint64_t BytesIn(uint32_t slot) const;
  Time LastActivity(uint32_t slot, Time now) const;
  void End(uint32_t slot, protocol::Limit limit, Time now);
  void Kill(uint32_t slot);

  Times times_;
  Slots& slots_;
  const ProcessTree& tree_;
  Deadlines deadlines_;
  arena::Vector<Watched> watched_;  // by slot
};

}  // namespace truefork
