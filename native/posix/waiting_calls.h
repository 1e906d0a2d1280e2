// The system calls that wait, as a process with signal handlers sees them (signal(7)): a handler runs when
// its signal comes, and then the call goes on or fails with EINTR. All return -1 with errno set where they
// fail.
#pragma once

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "posix/signal_delivery.h"
#include "support/address.h"

namespace truefork {

// A call that may wait for one descriptor.
template <typename Call>
long WaitingFor(int fd, short events, Call call) {
  return Interruptible(OnHandler::MayRestart, [&](bool mayWait) -> long {
    if (!mayWait) {
      pollfd ready{fd, events, 0};
      if (poll(&ready, 1, 0) == 0) {
        errno = EINTR;
        return -1;
      }
    }
    return call();
  });
}

// When a select() or poll() gives up: microseconds on the clock of NowMicros(), or never.
constexpr int64_t kNever = -1;

// select(2). `sets` gives the three sets anew for each try, for a try that was interrupted may have changed
// them.
struct FdSets {
  fd_set* read;
  fd_set* write;
  fd_set* except;
};
int SelectUntil(int count, const std::function<FdSets()>& sets, int64_t until);

int PollUntil(std::vector<pollfd>& fds, int64_t until);

int Connect(int fd, const Address& address);

// wait4(2): 0 where WNOHANG is among the options and no child has ended.
pid_t Wait4(pid_t pid, int* status, int options, rusage* usage);

// sleep(3): how many seconds were left, to the nearest, as glibc counts them.
int64_t Sleep(uint32_t seconds);

}  // namespace truefork
