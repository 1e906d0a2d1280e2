#include "binding/system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <set>

#include "binding/errors.h"
#include "support/libc.h"

namespace truefork {

bool IsAnonymousInode(int fd) { return FileType(fd, "", AT_EMPTY_PATH) == 0; }

Napi::Value GetPid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), getpid()); }

Napi::Value Kill(const Napi::CallbackInfo& info) {
  const pid_t pid = info[0].As<Napi::Number>().Int32Value();
  const int signo = info[1].As<Napi::Number>().Int32Value();
  if (kill(pid, signo) != 0) throw SystemError(info.Env(), errno, "kill");
  return info.Env().Undefined();
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  if (close(info[0].As<Napi::Number>().Int32Value()) != 0) throw SystemError(info.Env(), errno, "close");
  return info.Env().Undefined();
}

Napi::Value IsATty(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), isatty(info[0].As<Napi::Number>().Int32Value()) == 1);
}

Napi::Value GetRandom(const Napi::CallbackInfo& info) {
  auto into = info[0].As<Napi::Uint8Array>();
  // Up to 256 bytes come whole, whatever signals do (getrandom(2)); our own seeds are shorter.
  if (getrandom(into.Data(), into.ByteLength(), 0) < 0) throw SystemError(info.Env(), errno, "getrandom");
  return info.Env().Undefined();
}

Napi::Value PassOnDescriptors(const Napi::CallbackInfo& info) {
  // All below the first that Node opened itself, an epoll or eventfd.
  for (int fd = 0;; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || IsAnonymousInode(fd)) break;
    fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
  }
  return info.Env().Undefined();
}

Napi::Value SocketPairWithInput(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto text = info[0].As<Napi::Uint8Array>();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw SystemError(env, errno, "socketpair");
  // A few bytes always fit, and the other end is ours.
  if (send(ends[1], text.Data(), text.ByteLength(), MSG_NOSIGNAL) < 0) throw SystemError(env, errno, "send");
  shutdown(ends[1], SHUT_WR);
  Napi::Array both = Napi::Array::New(env, 2);
  both.Set(0u, ends[0]);
  both.Set(1u, ends[1]);
  return both;
}

Napi::Value ProcessLimit(const Napi::CallbackInfo& info) {
  rlimit limit;
  if (getrlimit(RLIMIT_NPROC, &limit) != 0) throw SystemError(info.Env(), errno, "getrlimit");
  const bool none = limit.rlim_cur == RLIM_INFINITY;
  return Napi::Number::New(info.Env(), none ? std::numeric_limits<double>::infinity() : limit.rlim_cur);
}

Napi::Value ReapOrphans(const Napi::CallbackInfo& info) {
  std::set<pid_t> known;
  const auto list = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) known.insert(list.Get(i).As<Napi::Number>().Int32Value());
  Napi::Array reaped = Napi::Array::New(info.Env());
  siginfo_t ended{};
  // WNOWAIT only looks. The kernel shows the same child until somebody waits for it, so one that belongs to
  // another ends the round: its owner will reap it, and the next SIGCHLD brings us back.
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
    if (known.count(ended.si_pid) != 0) break;
    waitpid(ended.si_pid, nullptr, WNOHANG);
    reaped.Set(reaped.Length(), ended.si_pid);
    ended.si_pid = 0;
  }
  return reaped;
}

}  // namespace truefork
