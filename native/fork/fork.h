// The fork that JavaScript survives.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <functional>
#include <vector>

namespace truefork {

// By which other threads, V8's tasks among them, wake a loop: known before a fork, for to look for them is to
// write to them all.
class WakeUps {
 public:
  explicit WakeUps(uv_loop_t* loop);

  // Those that were sent, and that the loop has not looked at.
  std::vector<uv_async_t*> Unseen() const;

 private:
  std::vector<uv_async_t*> handles_;
};

// As fork(2): the child's pid in the parent, 0 in the child, -1 with errno set. The caller has made sure that
// the process is fit (FindUnsafeThread, MakeAddressSpaceCopyable, PrepareExits). inChild runs in the child
// before any signal can reach it: to close what it must not have and to give back signal handlers.
//
// To be called from the top level of a script or from setImmediate: inside a libuv poll callback parent and
// child would both go on with the same batch of events.
pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild);
// The same for who forks again and again.
pid_t Fork(uv_loop_t* loop, const WakeUps& wakeUps, const std::function<void()>& inChild);

}  // namespace truefork
