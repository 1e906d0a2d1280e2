#include "support/rights.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace truefork::rights {

namespace {

union Ancillary {
  cmsghdr header;
  char room[CMSG_SPACE(kMost * sizeof(int))];
};

}  // namespace

ssize_t Send(int socket, const void* bytes, size_t size, const int* fds, size_t count) {
  if (count > kMost) {
    errno = EINVAL;
    return -1;
  }
  iovec body{const_cast<void*>(bytes), size};
  Ancillary ancillary;
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = &ancillary;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    ancillary.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    ancillary.header.cmsg_level = SOL_SOCKET;
    ancillary.header.cmsg_type = SCM_RIGHTS;
    std::memcpy(CMSG_DATA(&ancillary.header), fds, count * sizeof(int));
  }
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t Receive(int socket, void* bytes, size_t size, int* fds, size_t* count) {
  iovec body{bytes, size};
  Ancillary ancillary;
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = CMSG_SPACE(*count * sizeof(int));
  *count = 0;
  ssize_t received;
  do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  const cmsghdr* header = received > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return received;
  *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  std::memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
  return received;
}

}  // namespace truefork::rights
