// How a connection reaches a child that was forked before it came: over a line of their own, a pair of
// sockets, with the descriptor as ancillary data (unix(7), SCM_RIGHTS).
#pragma once

#include <cstdint>
#include <optional>

#include "support/address.h"

namespace truefork {

struct Handover {
  int fd;
  uint64_t id;
  Address peer;
  Address local;
  bool isLast;  // the child leaves when it has served this one
};

// A line's two ends, the zygote's and the child's; false, and errno, where there are none.
bool OpenLine(int ends[2]);

// False where nobody is at the other end any more. The caller's descriptor stays open.
bool SendConnection(int line, const Handover& handover);

// Waits for the next; nothing when the zygote has closed its end.
std::optional<Handover> ReceiveConnection(int line);

}  // namespace truefork
