// The fork that JavaScript survives.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <functional>
#include <vector>

namespace truefork {

// What of a loop a child has to deal with: known before a fork, for to look for it is to write to every
// handle.
class Inherited {
 public:
  explicit Inherited(uv_loop_t* loop);

  // By which other threads, V8's tasks among them, have woken the loop, and it has not looked yet.
  std::vector<uv_async_t*> UnseenWakeUps() const;

  // A process that the parent started is no child of this one: nobody will tell of its end here, and a loop
  // that waited for it would wait for ever.
  void ForgetProcesses() const;

 private:
  std::vector<uv_async_t*> wakeUps_;
  std::vector<uv_handle_t*> processes_;
};

// As fork(2): the child's pid in the parent, 0 in the child, -1 with errno set. The caller has made sure that
// the process is fit (FindUnsafeThread, MakeAddressSpaceCopyable, PrepareExits). inChild runs in the child
// before any signal can reach it: to close what it must not have and to give back signal handlers.
//
// To be called from the top level of a script or from setImmediate: inside a libuv poll callback parent and
// child would both go on with the same batch of events.
pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild);
// The same for who forks again and again.
pid_t Fork(uv_loop_t* loop, const Inherited& inherited, const std::function<void()>& inChild);

}  // namespace truefork
