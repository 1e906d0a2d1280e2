#include "server/listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace truefork {

namespace {

bool IsWildcard(const Address& address) {
  if (address.family() == AF_INET) {
    return reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr.s_addr == htonl(INADDR_ANY);
  }
  return address.family() == AF_INET6 &&
         IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr);
}

}  // namespace

bool Listeners::Listen(const char** failed) {
  for (const Socket& socket : sockets_) {
    Listening listening{socket.fd, socket.backlog, {}, false};
    *failed = "getsockname";
    if (getsockname(socket.fd, listening.local.raw(), &listening.local.length) != 0) return false;
    listening.isWildcard = IsWildcard(listening.local);
    *failed = "listen";
    if (socket.backlog > 0 && listen(socket.fd, socket.backlog) != 0) return false;
    listening_.push_back(listening);
  }
  if (listening_.size() == 1) {
    waited_ = listening_[0].fd;
    return true;
  }
  *failed = "epoll_create";
  waited_ = epoll_create1(EPOLL_CLOEXEC);
  if (waited_ < 0) return false;
  *failed = "epoll_ctl";
  for (const Listening& one : listening_) {
    epoll_event event{EPOLLIN, {nullptr}};
    if (epoll_ctl(waited_, EPOLL_CTL_ADD, one.fd, &event) != 0) return false;
  }
  return true;
}

int Listeners::Accept(int flags, Address* peer, Address* local) {
  for (size_t tried = 0; tried < listening_.size(); tried++) {
    const Listening& one = listening_[next_];
    next_ = (next_ + 1) % listening_.size();
    peer->length = sizeof peer->storage;
    const int fd = accept4(one.fd, peer->raw(), &peer->length, SOCK_CLOEXEC | flags);
    if (fd < 0 && errno == EAGAIN) continue;
    if (fd < 0) return -1;
    *local = one.local;
    if (one.isWildcard) getsockname(fd, local->raw(), &(local->length = sizeof local->storage));
    return fd;
  }
  errno = EAGAIN;
  return -1;
}

int Listeners::backlog() const {
  int sum = 0;
  for (const Listening& one : listening_) sum += one.backlog > 0 ? one.backlog : SOMAXCONN;
  return sum;
}

// The epoll set first: a child shares it with the zygote, and could change what the zygote waits for.
void Listeners::Close() {
  if (listening_.size() > 1 && waited_ >= 0) close(waited_);
  waited_ = -1;
  for (const Listening& one : listening_) close(one.fd);
  listening_.clear();
}

// The connection was gone before it was accepted, or the network reports an error on it. accept(2) says to
// treat these like EAGAIN, and to accept the next.
bool ConcernsOneClientOnly(int errnum) {
  switch (errnum) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace truefork
