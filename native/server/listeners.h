// The listening sockets of a server, as its loop sees them: one descriptor to wait for, one queue to accept
// from.
#pragma once

#include <optional>
#include <vector>

#include "support/address.h"

namespace truefork {

class Listeners {
 public:
  struct Socket {
    int fd;       // bound, non-blocking
    int backlog;  // as in listen(2); 0: it listens already, and whoever made it chose
  };

  explicit Listeners(std::vector<Socket> sockets) : sockets_(std::move(sockets)) {}
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Only now may clients queue. False with errno set, and `failed` says at which call.
  bool Listen(const char** failed);

  // Readable when a client waits: the socket, or an epoll descriptor of all of them, which select(2) and
  // poll(2) take like any other. -1 when closed.
  int fd() const { return waited_; }
  bool open() const { return waited_ >= 0; }

  // The next client's descriptor, with SOCK_CLOEXEC and these flags; -1 with errno set, EAGAIN when none of
  // the sockets has one. Each socket in its turn: a busy one keeps no other waiting.
  int Accept(int flags, Address* peer, Address* local);

  // How many clients can queue in all.
  int backlog() const;

  void Close();

 private:
  struct Listening {
    int fd;
    int backlog;
    Address local;
    bool isWildcard;  // which of the machine's addresses the client chose, each connection has to be asked
  };

  std::vector<Socket> sockets_;
  std::vector<Listening> listening_;
  int waited_ = -1;
  size_t next_ = 0;
};

}  // namespace truefork
