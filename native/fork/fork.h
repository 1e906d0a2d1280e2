// The fork that JavaScript survives.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <functional>

namespace truefork {

// As fork(2): the child's pid in the parent, 0 in the child, -1 with errno set. The caller has made sure that
// the process is fit (FindUnsafeThread, MakeAddressSpaceCopyable, PrepareExits). inChild runs in the child
// before any signal can reach it: to close what it must not have and to give back signal handlers.
//
// To be called from the top level of a script or from setImmediate: inside a libuv poll callback parent and
// child would both go on with the same batch of events.
pid_t Fork(uv_loop_t* loop, const std::function<void()>& inChild);

}  // namespace truefork
