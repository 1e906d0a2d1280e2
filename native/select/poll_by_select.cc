#include "select/poll_by_select.h"

#include <sys/select.h>

#include <algorithm>

namespace truefork {

int PollBySelect(std::vector<pollfd>& fds, int timeout) {
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  int highest = -1;
  for (const pollfd& one : fds) {
    if (one.fd < 0) continue;
    if (one.events & POLLIN) FD_SET(one.fd, &readable);
    if (one.events & POLLOUT) FD_SET(one.fd, &writable);
    highest = std::max(highest, one.fd);
  }
  timeval limit{timeout / 1000, timeout % 1000 * 1000};
  const int ready = select(highest + 1, &readable, &writable, nullptr, timeout < 0 ? nullptr : &limit);
  if (ready < 0) return ready;
  for (pollfd& one : fds) {
    one.revents = 0;
    if (one.fd < 0) continue;
    if (FD_ISSET(one.fd, &readable)) one.revents |= POLLIN;
    if (FD_ISSET(one.fd, &writable)) one.revents |= POLLOUT;
  }
  return ready;
}

}  // namespace truefork
