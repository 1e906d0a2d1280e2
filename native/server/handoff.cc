#include "server/handoff.h"

#include <sys/socket.h>

#include "support/rights.h"

namespace truefork {

namespace {

struct Letter {
  uint64_t id;
  Address peer;
  Address local;
  bool isLast;
};

}  // namespace

bool OpenLine(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0; }

bool SendConnection(int line, const Handover& handover) {
  const Letter letter{handover.id, handover.peer, handover.local, handover.isLast};
  return rights::Send(line, &letter, sizeof letter, &handover.fd, 1) == sizeof letter;
}

std::optional<Handover> ReceiveConnection(int line) {
  Letter letter{};
  int fd = -1;
  size_t count = 1;
  const ssize_t size = rights::Receive(line, &letter, sizeof letter, &fd, &count);
  if (size != sizeof letter || count != 1) return std::nullopt;
  return Handover{fd, letter.id, letter.peer, letter.local, letter.isLast};
}

}  // namespace truefork
