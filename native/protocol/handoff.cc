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

constexpr char kDone = 'd';

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

void SendDone(int channel) {
  // The channel is empty in this direction, so one byte fits. Where the zygote is gone, this process is about
  // to be too.
  [[maybe_unused]] const ssize_t sent = send(channel, &kDone, sizeof kDone, MSG_NOSIGNAL | MSG_DONTWAIT);
}

WorkerAnswer ReceiveDone(int channel) {
  char answer[2];
  const ssize_t size = recv(channel, answer, sizeof answer, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return WorkerAnswer::None;
  return size == 1 && answer[0] == kDone ? WorkerAnswer::Done : WorkerAnswer::Gone;
}

}  // namespace truefork
