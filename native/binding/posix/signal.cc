#include "binding/posix/signal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "binding/args.h"
#include "binding/errors.h"
#include "posix/signal_delivery.h"
#include "posix/time.h"
#include "support/clock.h"
#include "support/libc.h"

namespace truefork {

namespace {

constexpr uint32_t kMostInSet = 1024;  // a set of signals is given as an array, which may name one twice

void RequireMainThread(const Args& args) {
  if (OnMainThread()) return;
  throw MisuseError(
      args.env(), "ERR_TRUEFORK_WORKER",
      std::string(args.call()) + ": signals belong to the main thread: call it there, not in a Worker");
}

// A fault repeats for as long as its handler has not run, and JavaScript cannot go on at the instruction that
// failed.
bool IsFault(int signo) {
  return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL || signo == SIGTRAP ||
         signo == SIGSYS;
}

sigset_t SetOf(const Args& args, Napi::Value value, const char* name) {
  if (!value.IsArray()) throw args.WrongType(name, "a sigset_t or an array of signal numbers");
  const auto array = value.As<Napi::Array>();
  if (array.Length() > kMostInSet) throw args.OutOfRange(name, "a set of signal numbers");
  sigset_t set;
  sigemptyset(&set);
  for (uint32_t i = 0; i < array.Length(); i++) {
    const int signo = args.IntOf(array.Get(i), name);
    if (sigaddset(&set, signo) != 0) throw SystemError(args.env(), errno, args.call());
  }
  return set;
}

Napi::Array ArrayOf(Napi::Env env, const sigset_t& set) {
  Napi::Array array = Napi::Array::New(env);
  for (int signo = 1; signo < SIGRTMAX; signo++) {
    if (sigismember(&set, signo) == 1) array.Set(array.Length(), signo);
  }
  return array;
}

Napi::Object Describe(Napi::Env env, const Disposition& disposition) {
  Napi::Object object = Napi::Object::New(env);
  switch (disposition.kind) {
    case Disposition::Kind::Default:
    case Disposition::Kind::Ignore:
      object.Set("sa_handler", disposition.kind == Disposition::Kind::Ignore ? 1 : 0);
      break;
    case Disposition::Kind::Handler:
      object.Set("sa_handler", disposition.handler);
      break;
  }
  object.Set("sa_mask", ArrayOf(env, disposition.mask));
  object.Set("sa_flags", disposition.flags);
  return object;
}

Disposition DispositionOf(const Args& args, const Napi::Object& given) {
  Disposition wanted;
  const Napi::Value handler = given.Get("sa_handler");
  if (handler.IsFunction()) {
    wanted.kind = Disposition::Kind::Handler;
    wanted.handler = handler.As<Napi::Function>();
  } else if (handler.IsNumber() && handler.As<Napi::Number>().DoubleValue() == 1) {
    wanted.kind = Disposition::Kind::Ignore;
  } else if (!handler.IsNumber() || handler.As<Napi::Number>().DoubleValue() != 0) {
    throw args.WrongType("sa_handler", "a function, SIG_IGN or SIG_DFL");
  }
  wanted.mask = SetOf(args, given.Get("sa_mask"), "sa_mask");
  wanted.flags = args.IntOf(given.Get("sa_flags"), "sa_flags");
  const int known = SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT | SA_RESETHAND | SA_NODEFER;
  if ((wanted.flags & ~known) != 0) {
    throw args.OutOfRange("sa_flags",
                          "made of SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_RESETHAND and SA_NODEFER");
  }
  return wanted;
}

// sigaction(signo, { sa_handler, sa_mask, sa_flags } | undefined): the old action.
Napi::Value SigAction(const Napi::CallbackInfo& info) {
  const Args args(info, "sigaction");
  RequireMainThread(args);
  const int signo = args.Int(0, "signum");
  if (signo < 1 || signo >= NSIG) throw SystemError(args.env(), EINVAL, "sigaction");
  if (!args.Has(1)) {
    return Describe(args.env(), CurrentDisposition(signo));
  }
  const Disposition wanted = DispositionOf(args, args.Object(1, "act"));
  if (IsFault(signo)) {
    throw MisuseError(
        args.env(), "ERR_TRUEFORK_SIGNAL_RESERVED",
        "sigaction: V8 and Node need this signal, which tells of a fault of the program itself; JavaScript "
        "cannot handle it. Wait for the child that it kills, and look at WTERMSIG");
  }
  if (signo == SIGCHLD && ChildSignalIsLibuvs()) {
    throw MisuseError(
        args.env(), "ERR_TRUEFORK_SIGNAL_IN_USE",
        "sigaction: SIGCHLD is in use: children of node:child_process are running, whose exits Node learns "
        "by it. Wait for their 'close' events first, or start them by fork() and execve()");
  }
  RunPendingHandlers(args.env());  // those that came while the old action was in force
  const Disposition old = CurrentDisposition(signo);
  if (!SetDisposition(args.env(), signo, wanted)) throw SystemError(args.env(), errno, "sigaction");
  return Describe(args.env(), old);
}

Napi::Value SigProcMask(const Napi::CallbackInfo& info) {
  const Args args(info, "sigprocmask");
  RequireMainThread(args);
  const int how = args.Int(0, "how");
  const sigset_t old = UserMask();
  if (args.Has(1)) {
    const sigset_t given = SetOf(args, info[1], "set");
    sigset_t wanted = old;
    for (int signo = 1; signo < NSIG; signo++) {
      const bool named = sigismember(&given, signo) == 1;
      if (how == SIG_SETMASK) named ? sigaddset(&wanted, signo) : sigdelset(&wanted, signo);
      if (how == SIG_BLOCK && named) sigaddset(&wanted, signo);
      if (how == SIG_UNBLOCK && named) sigdelset(&wanted, signo);
    }
    if (how != SIG_SETMASK && how != SIG_BLOCK && how != SIG_UNBLOCK) {
      throw SystemError(args.env(), EINVAL, "sigprocmask");
    }
    SetUserMask(wanted);
    RunPendingHandlers(args.env());
  }
  return ArrayOf(args.env(), old);
}

Napi::Value SigPending(const Napi::CallbackInfo& info) {
  const Args args(info, "sigpending");
  sigset_t set;
  Checked(args, sigpending(&set));
  return ArrayOf(args.env(), set);
}

void SigSuspend(const Napi::CallbackInfo& info) {
  const Args args(info, "sigsuspend");
  RequireMainThread(args);
  SuspendUntilHandled(args.env(), SetOf(args, info[0], "mask"));
}

void Pause(const Napi::CallbackInfo& info) {
  const Args args(info, "pause");
  RequireMainThread(args);
  SuspendUntilHandled(args.env(), UserMask());
}

// kill(), killpg() and raise() return when a signal that they sent to this process has been handled. So it
// must not go to another thread of Node's, which would give it back a moment too late: to itself, a process
// sends it to its main thread; in the window, the kernel prefers that one.
int KillFromHere(int pid, int signo) {
  if (pid != getpid() || signo < 1 || !OnMainThread()) {
    SignalWindow window;
    return kill(pid, signo);
  }
  siginfo_t info{};
  info.si_signo = signo;
  info.si_code = SI_USER;
  info.si_pid = pid;
  info.si_uid = getuid();
  return static_cast<int>(syscall(SYS_rt_tgsigqueueinfo, pid, pid, signo, &info));
}

void Kill(const Napi::CallbackInfo& info) {
  const Args args(info, "kill");
  const int pid = args.Int(0, "pid");
  Checked(args, KillFromHere(pid, args.Int(1, "sig")));
  RunPendingHandlers(args.env());
}

void KillPg(const Napi::CallbackInfo& info) {
  const Args args(info, "killpg");
  const int group = args.Int(0, "pgrp");
  const int signo = args.Int(1, "sig");
  const auto send = [&] {
    SignalWindow window;
    return killpg(group, signo);
  };
  Checked(args, send());
  RunPendingHandlers(args.env());
}

void Raise(const Napi::CallbackInfo& info) {
  const Args args(info, "raise");
  const int signo = args.Int(0, "sig");
  if (raise(signo) != 0) throw SystemError(args.env(), errno, "raise");
  RunPendingHandlers(args.env());
}

Napi::Value Alarm(const Napi::CallbackInfo& info) {
  const Args args(info, "alarm");
  return Napi::Number::New(args.env(), alarm(args.Unsigned(0, "seconds")));
}

Napi::Object Describe(Napi::Env env, const itimerval& timer) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("it_interval", TimevalToObject(env, timer.it_interval));
  object.Set("it_value", TimevalToObject(env, timer.it_value));
  return object;
}

Napi::Value SetITimer(const Napi::CallbackInfo& info) {
  const Args args(info, "setitimer");
  const Napi::Object given = args.Object(1, "new_value");
  itimerval wanted{};
  itimerval old{};
  wanted.it_interval = TimevalFrom(args, given.Get("it_interval"), "it_interval");
  wanted.it_value = TimevalFrom(args, given.Get("it_value"), "it_value");
  Checked(args, setitimer(static_cast<ITimerWhich>(args.Int(0, "which")), &wanted, &old));
  return Describe(args.env(), old);
}

Napi::Value GetITimer(const Napi::CallbackInfo& info) {
  const Args args(info, "getitimer");
  itimerval now{};
  Checked(args, getitimer(static_cast<ITimerWhich>(args.Int(0, "which")), &now));
  return Describe(args.env(), now);
}

Napi::Value Sleep(const Napi::CallbackInfo& info) {
  const Args args(info, "sleep");
  const int64_t until = NowMicros() + int64_t{args.Unsigned(0, "seconds")} * 1'000'000;
  Interruptible(args.env(), OnHandler::NeverRestarts, [&](bool mayWait) -> long {
    const timespec time{static_cast<time_t>(until / 1'000'000), static_cast<long>(until % 1'000'000 * 1000)};
    errno = mayWait ? clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) : EINTR;
    return errno == 0 ? 0 : -1;
  });
  const int64_t left = std::max<int64_t>(0, until - NowMicros());
  const int64_t seconds = (left + 500'000) / 1'000'000;  // to the nearest, as glibc's
  return Napi::Number::New(args.env(), static_cast<double>(seconds));
}

}  // namespace

void RegisterSignal(Napi::Env, Napi::Object exports) {
  Give(exports, "sigaction", SigAction);
  Give(exports, "sigprocmask", SigProcMask);
  Give(exports, "sigpending", SigPending);
  Give(exports, "sigsuspend", SigSuspend);
  Give(exports, "pause", Pause);
  Give(exports, "kill", Kill);
  Give(exports, "killpg", KillPg);
  Give(exports, "raise", Raise);
  Give(exports, "alarm", Alarm);
  Give(exports, "setitimer", SetITimer);
  Give(exports, "getitimer", GetITimer);
  Give(exports, "sleep", Sleep);
}

}  // namespace truefork
