// The listening sockets of a server, as one: one descriptor to wait for, one backlog to accept from.
#pragma once

#include <optional>
#include <vector>

#include "support/address.h"

namespace truefork {

class Listeners {
 public:
  struct Socket {
    int fd;       // bound, non-blocking
    int backlog;  // as in listen(2); 0: the socket listens already, with the backlog that its maker chose
  };

  explicit Listeners(std::vector<Socket> sockets) : sockets_(std::move(sockets)) {}
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // From now on clients are queued. False with errno set; `failed` is the system call that did.
  bool Listen(const char** failed);

  // Readable when a client is queued: the only socket itself, or an epoll set of all, which select(2) and
  // poll(2) take like any other descriptor. -1 when closed.
  int fd() const { return waited_; }
  bool IsOpen() const { return waited_ >= 0; }

  // accept4(2), with SOCK_CLOEXEC and these flags: the connection's descriptor, or -1 with errno set, EAGAIN
  // when no socket has a client. The sockets take turns, so that a busy one does not starve the others.
  int Accept(int flags, Address* peer, Address* local);

  // How many clients can be queued on all of them.
  int backlog() const;

  void Close();

 private:
  struct Listening {
    int fd;
    int backlog;
    Address local;
    bool isWildcard;  // the local address differs by connection
  };

  std::vector<Socket> sockets_;
  std::vector<Listening> listening_;
  int waited_ = -1;
  size_t next_ = 0;
};

// Whether this errno of accept(2) is about the one client, and the next can be accepted.
bool ConcernsOneClientOnly(int errnum);

}  // namespace truefork
