// How a connection reaches a child that was forked before it came: over a line of their own, a pair of
// sockets, with the descriptor as ancillary data (unix(7), SCM_RIGHTS).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "server/usage.h"
#include "support/address.h"

namespace truefork {

struct Handover {
  int fd;
  uint64_t id;
  Address peer;
  Address local;
  bool isLast;  // the child leaves when it has served this one
};

// What a child that serves again says when a connection is over.
struct Done {
  pid_t pid;
  uint32_t
      rolledBack;  // 1: its memory is as it was before the connection. 2: and it had to look for what changed
  Usage used;      // for the connection, where it was rolled back
  Usage total;     // by the process
};

// A line's two ends, the zygote's and the child's; false, and errno, where there are none.
bool OpenLine(int ends[2]);

// False where nobody is at the other end any more. The caller's descriptor stays open.
bool SendConnection(int line, const Handover& handover);

// Waits for the next; nothing when the zygote has closed its end.
std::optional<Handover> ReceiveConnection(int line);

}  // namespace truefork
