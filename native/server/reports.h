// The records that a server sends to its owner.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "protocol/channel.h"
#include "protocol/connection.h"
#include "protocol/handoff.h"
#include "protocol/messages.h"
#include "protocol/usage.h"
#include "support/time.h"

namespace truefork {

class Reports {
 public:
  explicit Reports(Channel& channel) : channel_(channel) {}

  // `isolation` is what holds of it: Protection, or'ed (isolation/confinement.h).
  void Listening(uint32_t isolation = 0) {
    channel_.Put(protocol::Record::Listening, protocol::ListeningRecord{isolation});
  }
  void Pong() { channel_.Put(protocol::Record::Pong); }
  void Retired(uint64_t nextId) { channel_.Put(protocol::Record::Retired, protocol::RetiredRecord{nextId}); }
  void Accepted(const Connection& connection, pid_t pid);

  // A connection has ended, and its process goes on.
  struct End {
    uint64_t id;
    Duration duration;
    const Done& done;
    uint64_t bytesIn;
    uint64_t bytesOut;
  };
  void Ended(const End& end);
  void Ended(uint64_t id, Duration duration) { Ended({id, duration, {}, 0, 0}); }

  // A process has ended, and with it its connection.
  struct Exit {
    uint64_t id;
    pid_t pid;
    int status;  // as waitpid(2) gives it
    Duration duration;
    Usage usage;  // of this connection alone, where the process has served others
    uint64_t bytesIn;
    uint64_t bytesOut;
    protocol::Limit limit;  // that ended it
    int execErrnum;
    uint32_t replacedFor;  // rollback::Reason
  };
  void Exited(const Exit& exit);

  // A system call failed, and the server goes on.
  void Trouble(const char* syscall, int errnum);

  void Refused(protocol::Reason reason, uint32_t count, const Address& latest);

  // Whatever would make more records has to wait.
  bool IsCongested() const { return channel_.IsCongested(); }

 private:
  Channel& channel_;
};

}  // namespace truefork
