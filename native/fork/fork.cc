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

namespace {

// Wake-ups that were on their way at the fork: a file that was read, a task that was posted, and the loop has
// not looked yet. uv_loop_fork forgets them, and nobody would call back. (A wake-up that nobody sent is no
// way out: it would open Node's inspector.)
class UnseenWakeUps {
 public:
  explicit UnseenWakeUps(uv_loop_t* loop) {
    Keep(&loop->wq_async);  // the thread pool's, which uv_walk passes by
    uv_walk(loop, KeepIfAsync, this);
  }

  void Repeat() {
    for (uv_async_t* handle : unseen_) uv_async_send(handle);
  }

 private:
  static void KeepIfAsync(uv_handle_t* handle, void* self) {
    if (uv_handle_get_type(handle) != UV_ASYNC) return;
    static_cast<UnseenWakeUps*>(self)->Keep(reinterpret_cast<uv_async_t*>(handle));
  }

  void Keep(uv_async_t* handle) {
    if (handle->pending != 0) unseen_.push_back(handle);
  }

  std::vector<uv_async_t*> unseen_;
};

// A process that the parent started is no child of this one: nobody will tell of its end here, and a loop
// that waited for it would wait for ever.
void ForgetParentsProcesses(uv_loop_t* loop) {
  const auto forget = [](uv_handle_t* handle, void*) {
    if (uv_handle_get_type(handle) == UV_PROCESS) uv_unref(handle);
  };
  uv_walk(loop, forget, nullptr);
}

}  // namespace

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
  UnseenWakeUps unseen(loop);
  // The child has copies of the parent's epoll and wake-up descriptors, which are the parent's own objects: a
  // close of ours would take the parent's watches away. libuv makes new ones, before anything else touches
  // the loop.
  uv_loop_fork(loop);
  uv_update_time(loop);
  unseen.Repeat();
  ForgetParentsProcesses(loop);
  DropTasksForThreads();
  GuardExits();
  return 0;
}

}  // namespace truefork
