// Closing a connection without losing the end of what was said on it.
//
// close(2) on a socket with unread input sends a reset, and a reset makes the peer's kernel throw away what
// the peer has not read yet: the end of our answer (RFC 2525, 2.17; RFC 9112, 9.6). So the side that has said
// everything shuts down its direction, then reads and drops what the peer still sends, until the peer has
// closed too or the time is up.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "support/time.h"

namespace truefork {

constexpr Duration kLingerTime = std::chrono::seconds(2);

inline void BeginLingeringClose(int fd) { shutdown(fd, SHUT_WR); }

// Reads once and drops what came. False when the peer has finished or is gone: close(2) loses nothing now.
inline bool DropInput(int fd) {
  char dropped[4096];
  const ssize_t size = read(fd, dropped, sizeof dropped);
  return size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace truefork
