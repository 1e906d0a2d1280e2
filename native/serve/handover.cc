#include "serve/handover.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>

namespace truefork {

namespace {

struct Letter {
  uint64_t id;
  Address peer;
  bool isLast;
};

union Ancillary {
  cmsghdr header;
  char room[CMSG_SPACE(sizeof(int))];
};

}  // namespace

bool OpenLine(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0; }

bool SendConnection(int line, const Handover& handover) {
  Letter letter{handover.id, handover.peer, handover.isLast};
  iovec body{&letter, sizeof letter};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof ancillary.room;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &handover.fd, sizeof(int));
  ssize_t sent;
  do sent = sendmsg(line, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent == sizeof letter;
}

std::optional<Handover> ReceiveConnection(int line) {
  Letter letter{};
  iovec body{&letter, sizeof letter};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof ancillary.room;
  ssize_t size;
  do size = recvmsg(line, &message, MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  const cmsghdr* header = size == sizeof letter ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return std::nullopt;
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Handover{fd, letter.id, letter.peer, letter.isLast};
}

}  // namespace truefork
