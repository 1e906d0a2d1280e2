// What the calls that take a file descriptor share.
#pragma once

#include <poll.h>

#include "binding/args.h"
#include "posix/signal_delivery.h"

namespace truefork {

// A call that may wait for this descriptor, with signal handlers run as POSIX has it. -1 with errno set.
template <typename Call>
long Waiting(Napi::Env env, int fd, short events, Call call) {
  return Interruptible(env, OnHandler::MayRestart, [&](bool mayWait) -> long {
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

// Throws for the descriptors of Node's own event loops: without them it aborts.
void RefuseNodesOwn(const Args& args, int fd);

}  // namespace truefork
