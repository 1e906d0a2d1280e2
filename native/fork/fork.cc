#include "fork/fork.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <vector>

#include "fork/exits.h"
#include "fork/platform.h"
#include "fork/signals.h"
#include "support/faults.h"

namespace truefork {

WakeUps::WakeUps(uv_loop_t* loop) {
  handles_.push_back(&loop->wq_async);  // the thread pool's, which uv_walk passes by
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* handles) {
        if (uv_handle_get_type(handle) == UV_ASYNC)
          static_cast<std::vector<uv_async_t*>*>(handles)->push_back(reinterpret_cast<uv_async_t*>(handle));
      },
      &handles_);
}

std::vector<uv_async_t*> WakeUps::Unseen() const {
  std::vector<uv_async_t*> unseen;
  for (uv_async_t* handle : handles_)
    if (handle->pending != 0) unseen.push_back(handle);
  return unseen;
}

pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild) {
  return Fork(loop, WakeUps(loop), inChild);
}

pid_t Fork(uv_loop_t* loop, const WakeUps& wakeUps, const std::function<void()>& inChild) {
  if (const int errnum = faults::Take(faults::Call::Fork)) {
    errno = errnum;
    return -1;
  }
  fflush(nullptr);  // what waits in C's buffers would be written once by each process
  AllSignalsBlocked untilTheChildIsItself;
  const pid_t pid = fork();
  if (pid != 0) return pid;

  inChild();
  // A file that was read, a task that was posted: uv_loop_fork forgets them, and nobody would call back. (A
  // wake-up that nobody sent is no way out: it would open Node's inspector.)
  const std::vector<uv_async_t*> unseen = wakeUps.Unseen();
  // The child has copies of the parent's epoll and wake-up descriptors, which are the parent's own objects: a
  // close of ours would take the parent's watches away. libuv makes new ones, before anything else touches
  // the loop.
  uv_loop_fork(loop);
  uv_update_time(loop);
  for (uv_async_t* handle : unseen) uv_async_send(handle);
  DropTasksForThreads();
  GuardExits();
  return 0;
}

}  // namespace truefork
