#include "posix/waiting_calls.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>

#include "support/clock.h"

namespace truefork {

namespace {

int64_t Left(int64_t until) { return until == kNever ? kNever : std::max<int64_t>(0, until - NowMicros()); }

// Nothing was found, and there was no leave to wait for it.
bool WasCutShort(long found, bool mayWait, int64_t until) {
  if (found != 0 || mayWait || Left(until) == 0) return false;
  errno = EINTR;
  return true;
}

}  // namespace

int SelectUntil(int count, const std::function<FdSets()>& sets, int64_t until) {
  const long ready = Interruptible(OnHandler::NeverRestarts, [&](bool mayWait) -> long {
    const FdSets now = sets();
    const int64_t left = mayWait ? Left(until) : 0;
    timeval timeout{left / 1'000'000, left % 1'000'000};
    const int found = select(count, now.read, now.write, now.except, left == kNever ? nullptr : &timeout);
    return WasCutShort(found, mayWait, until) ? -1 : found;
  });
  return static_cast<int>(ready);
}

int PollUntil(std::vector<pollfd>& fds, int64_t until) {
  const long ready = Interruptible(OnHandler::NeverRestarts, [&](bool mayWait) -> long {
    const int64_t left = mayWait ? Left(until) : 0;
    const int found =
        poll(fds.data(), fds.size(), left == kNever ? -1 : static_cast<int>((left + 999) / 1000));
    return WasCutShort(found, mayWait, until) ? -1 : found;
  });
  return static_cast<int>(ready);
}

// Called again after a signal, the kernel goes on waiting for the connection that it has begun. So a handler
// that ran before the first call must not keep that call from being made: a program that gets EINTR may go on
// by poll(), and relies on a connection that is under way.
int Connect(int fd, const Address& address) {
  RunPendingHandlers();
  bool hasBegun = false;
  const long done = Interruptible(OnHandler::MayRestart, [&](bool mayWait) -> long {
    if (!mayWait && hasBegun) {
      errno = EINTR;
      return -1;
    }
    hasBegun = true;
    return connect(fd, address.raw(), address.length);
  });
  return static_cast<int>(done);
}

pid_t Wait4(pid_t pid, int* status, int options, rusage* usage) {
  if ((options & WNOHANG) != 0) return wait4(pid, status, options, usage);
  const long ended = Interruptible(OnHandler::MayRestart, [&](bool mayWait) -> long {
    const pid_t found = wait4(pid, status, mayWait ? options : options | WNOHANG, usage);
    if (found == 0) errno = EINTR;
    return found == 0 ? -1 : found;
  });
  return static_cast<pid_t>(ended);
}

int64_t Sleep(uint32_t seconds) {
  const int64_t until = NowMicros() + int64_t{seconds} * 1'000'000;
  Interruptible(OnHandler::NeverRestarts, [&](bool mayWait) -> long {
    const timespec time{static_cast<time_t>(until / 1'000'000), static_cast<long>(until % 1'000'000 * 1000)};
    errno = mayWait ? clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) : EINTR;
    return errno == 0 ? 0 : -1;
  });
  return (Left(until) + 500'000) / 1'000'000;
}

}  // namespace truefork
