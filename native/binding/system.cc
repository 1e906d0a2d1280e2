#include "binding/system.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "binding/errors.h"
#include "posix/descriptors.h"
#include "posix/signal_delivery.h"

namespace truefork {

Napi::Value GetPid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), getpid()); }

void Kill(const Napi::CallbackInfo& info) {
  const pid_t pid = info[0].As<Napi::Number>().Int32Value();
  const int signo = info[1].As<Napi::Number>().Int32Value();
  if (kill(pid, signo) != 0) throw SystemError(info.Env(), errno, "kill");
}

void Close(const Napi::CallbackInfo& info) {
  if (close(info[0].As<Napi::Number>().Int32Value()) != 0) throw SystemError(info.Env(), errno, "close");
}

Napi::Value IsATty(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), isatty(info[0].As<Napi::Number>().Int32Value()) == 1);
}

void GetRandom(const Napi::CallbackInfo& info) {
  auto into = info[0].As<Napi::Uint8Array>();
  // Up to 256 bytes come whole, whatever signals do (getrandom(2)); our own seeds are shorter.
  if (getrandom(into.Data(), into.ByteLength(), 0) < 0) throw SystemError(info.Env(), errno, "getrandom");
}

Napi::Value IsOnMainThread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), OnMainThread());
}

void PassOnDescriptors(const Napi::CallbackInfo&) { KeepDescriptorsOverExec(); }

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

Napi::Value ReapOrphans(const Napi::CallbackInfo& info) {
  std::set<pid_t> known;
  const auto list = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) known.insert(list.Get(i).As<Napi::Number>().Int32Value());
  Napi::Array reaped = Napi::Array::New(info.Env());
  siginfo_t ended{};
  // WNOWAIT leaves the zombie. The kernel shows the same child until it is reaped, so a known one ends the
  // round: other code will reap it, and the next SIGCHLD has this called again.
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
    if (known.count(ended.si_pid) != 0) break;
    waitpid(ended.si_pid, nullptr, WNOHANG);
    reaped.Set(reaped.Length(), ended.si_pid);
    ended.si_pid = 0;
  }
  return reaped;
}

}  // namespace truefork
