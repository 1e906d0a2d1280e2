#include "fork/fork.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fork/exits.h"
#include "fork/signals.h"
#include "support/faults.h"

namespace truefork {

pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild) {
  if (const int errnum = faults::Take(faults::Call::Fork)) {
    errno = errnum;
    return -1;
  }
  fflush(nullptr);  // what waits in C's buffers would be written once by each process
  AllSignalsBlocked untilTheChildIsItself;
  const pid_t pid = fork();
  if (pid != 0) return pid;

  inChild();
  // The child has copies of the parent's epoll and wake-up descriptors, which are the parent's own objects: a
  // close of ours would take the parent's watches away. libuv makes new ones, before anything else touches
  // the loop.
  uv_loop_fork(loop);
  uv_update_time(loop);
  GuardExits();
  return 0;
}

}  // namespace truefork
