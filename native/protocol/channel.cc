#include "protocol/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>

#include "support/clock.h"

namespace truefork {

bool Channel::Fill() {
  char chunk[4096];
  for (;;) {
    const ssize_t size = recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (size > 0) {
      in_.append(chunk, size);
    } else if (size == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
  }
}

std::optional<Channel::Message> Channel::Next() {
  protocol::Header header;
  if (in_.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, in_.data(), sizeof header);
  if (in_.size() < sizeof header + header.length) return std::nullopt;
  Message message{header.kind, std::string(in_.data() + sizeof header, header.length)};
  in_.erase(0, sizeof header + header.length);
  return message;
}

void Channel::Put(protocol::Record kind, std::string_view body) {
  const protocol::Header header{static_cast<uint32_t>(body.size()), static_cast<uint32_t>(kind)};
  out_.append(reinterpret_cast<const char*>(&header), sizeof header);
  out_.append(body);
}

int64_t Channel::FlushInBatches() {
  if (out_.empty()) return 0;
  const int64_t now = NowMicros();
  if (now - flushedAt_ < kRestMicros) return flushedAt_ + kRestMicros;
  Flush();
  flushedAt_ = now;
  return 0;
}

void Channel::Flush() {
  while (!out_.empty()) {
    const ssize_t size = send(fd_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) {
      out_.erase(0, size);
    } else if (errno != EINTR) {
      return;  // full: the poll tells when it is not. Or the owner is gone: Fill() tells that
    }
  }
}

}  // namespace truefork
