#include "protocol/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>

namespace truefork {

bool Channel::Fill() {
  char chunk[4096];
  for (;;) {
    const ssize_t size = recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (size > 0) {
      unread_.append(chunk, size);
    } else if (size == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
  }
}

std::optional<Channel::Message> Channel::Next() {
  protocol::Header header;
  if (unread_.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, unread_.data(), sizeof header);
  if (unread_.size() - sizeof header < header.length) return std::nullopt;
  Message message{header.kind, std::string(unread_.data() + sizeof header, header.length)};
  unread_.erase(0, sizeof header + header.length);
  return message;
}

void Channel::Put(protocol::Record kind, std::string_view body) {
  const protocol::Header header{static_cast<uint32_t>(body.size()), static_cast<uint32_t>(kind)};
  unsent_.append(reinterpret_cast<const char*>(&header), sizeof header);
  unsent_.append(body);
}

Deadline Channel::FlushInBatches() {
  if (unsent_.empty()) return Deadline::Never();
  const Time now = Now();
  if (now - flushedAt_ < kBatchTime) return flushedAt_ + kBatchTime;
  Flush();
  flushedAt_ = now;
  return Deadline::Never();
}

void Channel::Flush() {
  while (!unsent_.empty()) {
    const ssize_t size = send(fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) {
      unsent_.erase(0, size);
    } else if (errno != EINTR) {
      return;  // Full: poll(2) says when there is room. Or the owner is gone, which Fill() reports.
    }
  }
}

}  // namespace truefork
