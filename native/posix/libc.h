// Where the two C libraries of Linux spell the same thing differently.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

namespace truefork {

// In C++ glibc has enumerations where POSIX, and musl, have int.
#ifdef __GLIBC__
using RLimitResource = __rlimit_resource;
using ITimerWhich = __itimer_which;
#else
using RLimitResource = int;
using ITimerWhich = int;
#endif

// The thread of a timer's SIGEV_THREAD_ID (timer_create(2)). Older glibc has no name for it.
inline pid_t& NotifiedThread(sigevent& event) {
#ifdef sigev_notify_thread_id
  return event.sigev_notify_thread_id;
#else
  return event._sigev_un._tid;
#endif
}

}  // namespace truefork
