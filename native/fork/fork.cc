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

Inherited::Inherited(uv_loop_t* loop) {
  wakeUps_.push_back(&loop->wq_async);  // the thread pool's, which uv_walk passes by
  const auto sort = [](uv_handle_t* handle, void* self) {
    auto* inherited = static_cast<Inherited*>(self);
    if (uv_handle_get_type(handle) == UV_ASYNC)
      inherited->wakeUps_.push_back(reinterpret_cast<uv_async_t*>(handle));
    else if (uv_handle_get_type(handle) == UV_PROCESS)
      inherited->processes_.push_back(handle);
  };
  uv_walk(loop, sort, this);
}

std::vector<uv_async_t*> Inherited::UnseenWakeUps() const {
  std::vector<uv_async_t*> unseen;
  for (uv_async_t* handle : wakeUps_)
    if (handle->pending != 0) unseen.push_back(handle);
  return unseen;
}

void Inherited::ForgetProcesses() const {
  for (uv_handle_t* process : processes_) uv_unref(process);
}

pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild) {
  return Fork(loop, Inherited(loop), inChild);
}

pid_t Fork(uv_loop_t* loop, const Inherited& inherited, const std::function<void()>& inChild) {
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
  const std::vector<uv_async_t*> unseen = inherited.UnseenWakeUps();
  // The child has copies of the parent's epoll and wake-up descriptors, which are the parent's own objects: a
  // close of ours would take the parent's watches away. libuv makes new ones, before anything else touches
  // the loop.
  uv_loop_fork(loop);
  uv_update_time(loop);
  for (uv_async_t* handle : unseen) uv_async_send(handle);
  inherited.ForgetProcesses();
  DoWithoutWorkerThreads();
  GuardExits();
  return 0;
}

}  // namespace truefork
