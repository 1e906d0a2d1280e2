#include "trace/calls.h"

#include <sys/syscall.h>

#include <algorithm>

namespace truefork::trace {

namespace {

#define LIFE(name, family)                               \
  {                                                      \
#name, SYS_##name, Filter::LifeCycle, Family::family \
  }
#define DATA(name, family)                               \
  {                                                      \
#name, SYS_##name, Filter::ReadWrite, Family::family \
  }

// Those that not every architecture has stand behind their #ifdef: arm64 knows only the newer of each pair.
const std::vector<Call> kCalls = {
#ifdef SYS_fork
    LIFE(fork, Fork),           LIFE(vfork, Fork),
#endif
    LIFE(clone, Fork),
#ifdef SYS_clone3
    LIFE(clone3, Fork),
#endif
    LIFE(wait4, Wait),          LIFE(waitid, Wait),
    LIFE(socket, Other),        LIFE(bind, Other),
    LIFE(listen, Other),        LIFE(accept, Accept),
    LIFE(accept4, Accept),      LIFE(connect, Other),
    LIFE(shutdown, Other),      LIFE(close, Other),
    LIFE(dup, Other),
#ifdef SYS_dup2
    LIFE(dup2, Other),
#endif
    LIFE(dup3, Other),          LIFE(setsockopt, Other),
#ifdef SYS_select
    LIFE(select, Other),
#endif
    LIFE(pselect6, Other),
#ifdef SYS_poll
    LIFE(poll, Other),          LIFE(epoll_wait, Other),
    LIFE(pause, Other),
#endif
    LIFE(ppoll, Other),         LIFE(epoll_pwait, Other),
#ifdef SYS_epoll_pwait2
    LIFE(epoll_pwait2, Other),
#endif
    LIFE(rt_sigsuspend, Other), LIFE(rt_sigtimedwait, Other),
    LIFE(nanosleep, Other),     LIFE(clock_nanosleep, Other),
    LIFE(rt_sigaction, Other),  LIFE(rt_sigreturn, Other),
    LIFE(kill, Kill),           LIFE(tkill, Kill),
    LIFE(tgkill, Kill),         LIFE(setsid, Other),
    LIFE(exit_group, Other),    LIFE(restart_syscall, Other),

    DATA(read, Read),           DATA(write, Write),
    DATA(readv, Read),          DATA(writev, Write),
    DATA(recvfrom, Read),       DATA(sendto, Write),
    DATA(recvmsg, Read),        DATA(sendmsg, Write),
    DATA(sendfile, Write),
};

#undef LIFE
#undef DATA

}  // namespace

const std::vector<Call>& Calls() { return kCalls; }

uint16_t FindCall(long number) {
  const auto found =
      std::find_if(kCalls.begin(), kCalls.end(), [=](const Call& c) { return c.number == number; });
  return found == kCalls.end() ? kNoCall : static_cast<uint16_t>(found - kCalls.begin());
}

uint16_t FindCallByName(std::string_view name) {
  const auto found =
      std::find_if(kCalls.begin(), kCalls.end(), [=](const Call& c) { return c.name == name; });
  return found == kCalls.end() ? kNoCall : static_cast<uint16_t>(found - kCalls.begin());
}

std::string CallNames() {
  std::string names;
  for (const Call& call : kCalls) {
    if (!names.empty()) names += '\n';
    names += call.name;
  }
  return names;
}

}  // namespace truefork::trace
