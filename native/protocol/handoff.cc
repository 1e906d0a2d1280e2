#include "protocol/handoff.h"

#include <errno.h>
#include <sys/socket.h>

#include "support/rights.h"

namespace truefork {

namespace {

struct HandoffMessage {
  uint64_t id;
  Address peer;
  Address local;
  bool isLast;
};

}  // namespace

bool OpenHandoffChannel(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

bool SendHandoff(int channel, const Handoff& handoff) {
  const HandoffMessage message{handoff.id, handoff.peer, handoff.local, handoff.isLast};
  return rights::Send(channel, &message, sizeof message, &handoff.fd, 1) == sizeof message;
}

std::optional<Handoff> ReceiveHandoff(int channel) {
  HandoffMessage message{};
  int fd = -1;
  size_t count = 1;
  const ssize_t size = rights::Receive(channel, &message, sizeof message, &fd, &count);
  if (size != sizeof message || count != 1) return std::nullopt;
  return Handoff{fd, message.id, message.peer, message.local, message.isLast};
}

void SendDone(int channel, const Done& done) {
  // The channel is empty in this direction, so the message fits. Where the zygote is gone, this process is
  // about to be too.
  [[maybe_unused]] const ssize_t sent = send(channel, &done, sizeof done, MSG_NOSIGNAL | MSG_DONTWAIT);
}

WorkerAnswer ReceiveDone(int channel, Done& done) {
  const ssize_t size = recv(channel, &done, sizeof done, MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return WorkerAnswer::None;
  return size == static_cast<ssize_t>(sizeof done) && done.rolledBack <= 2 ? WorkerAnswer::Done
                                                                           : WorkerAnswer::Gone;
}

}  // namespace truefork
