#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/posix/families.h"
#include "binding/posix/timeval.h"
#include "posix/signal_delivery.h"
#include "posix/waiting_calls.h"
#include "support/libc.h"
#include "support/no_destructor.h"

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

// What of signals is JavaScript: the handlers, and the function by which the event loop has them run.
struct Handlers {
  Napi::FunctionReference of[NSIG];
  Napi::FunctionReference runPending;
};

NoDestructor<Handlers> handlers;

Napi::Object Describe(Napi::Env env, const siginfo_t& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("signo", info.si_signo);
  object.Set("code", info.si_code);
  // The rest is a union. Where the kernel itself sent the signal, and not for a child, neither of its parts
  // is filled.
  const bool fromProcess = info.si_code <= 0 && info.si_code != SI_TIMER;
  const bool fromChild = info.si_signo == SIGCHLD && info.si_code > 0;
  object.Set("pid", fromProcess || fromChild ? info.si_pid : 0);
  object.Set("uid", fromProcess || fromChild ? static_cast<double>(info.si_uid) : 0);
  object.Set("status", fromChild ? info.si_status : 0);
  return object;
}

void RunHandler(int signo, const siginfo_t& info) {
  const Napi::FunctionReference& handler = handlers->of[signo];
  Napi::Env env = handler.Env();
  Napi::HandleScope scope(env);
  handler.Value().Call({Napi::Number::New(env, signo), Describe(env, info)});
}

// A callback of Node's, so that promises and ticks follow the handlers, and 'uncaughtException' gets what
// they throw.
void RunHandlersFromEventLoop() {
  Napi::Env env = handlers->runPending.Env();
  Napi::HandleScope scope(env);
  try {
    handlers->runPending.MakeCallback(env.Global(), {});
  } catch (const Napi::Error& error) {
    napi_fatal_exception(env, error.Value());
  }
}

// Node turns its event loop once more after it has taken the environment down, when no JavaScript can run.
void StopWatchingAtExit(Napi::Env env) {
  const auto stop = [](const Napi::CallbackInfo&) { StopWatchingSignals(); };
  const auto process = env.Global().Get("process").As<Napi::Object>();
  process.Get("on").As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, stop, "stopWatchingSignals")});
}

void StartDelivery(const Args& args) {
  if (!handlers->runPending.IsEmpty()) return;
  Napi::Env env = args.env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (!StartSignalDelivery(loop, {RunHandler, RunHandlersFromEventLoop}))
    throw SystemError(env, errno, args.call());
  const auto run = [](const Napi::CallbackInfo&) { RunPendingHandlers(); };
  handlers->runPending = Napi::Persistent(Napi::Function::New(env, run, "deliverSignals"));
  StopWatchingAtExit(env);
}

Napi::Object Describe(Napi::Env env, int signo, const SignalAction& action) {
  Napi::Object object = Napi::Object::New(env);
  if (action.kind == SignalAction::Kind::Handler)
    object.Set("sa_handler", handlers->of[signo].Value());
  else
    object.Set("sa_handler", action.kind == SignalAction::Kind::Ignore ? 1 : 0);
  object.Set("sa_mask", ArrayOf(env, action.mask));
  object.Set("sa_flags", action.flags);
  return object;
}

SignalAction ActionFrom(const Args& args, const Napi::Object& given, const Napi::Value& handler) {
  SignalAction wanted;
  if (handler.IsFunction()) {
    wanted.kind = SignalAction::Kind::Handler;
  } else if (handler.IsNumber() && handler.As<Napi::Number>().DoubleValue() == 1) {
    wanted.kind = SignalAction::Kind::Ignore;
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

void RefuseReserved(const Args& args, int signo) {
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
}

// sigaction(signo, { sa_handler, sa_mask, sa_flags } | undefined): the old action.
Napi::Value SigAction(const Napi::CallbackInfo& info) {
  const Args args(info);
  RequireMainThread(args);
  const int signo = args.Int(0, "signum");
  if (signo < 1 || signo >= NSIG) throw SystemError(args.env(), EINVAL, args.call());
  if (!args.Has(1)) return Describe(args.env(), signo, CurrentSignalAction(signo));
  const Napi::Object given = args.Object(1, "act");
  const Napi::Value handler = given.Get("sa_handler");
  const SignalAction wanted = ActionFrom(args, given, handler);
  RefuseReserved(args, signo);
  const bool handles = wanted.kind == SignalAction::Kind::Handler;
  if (handles) StartDelivery(args);
  RunPendingHandlers();  // those that came while the old action was in force
  const Napi::Object old = Describe(args.env(), signo, CurrentSignalAction(signo));
  if (!SetSignalAction(signo, wanted)) throw SystemError(args.env(), errno, args.call());
  handlers->of[signo].Reset();
  if (handles) handlers->of[signo] = Napi::Persistent(handler.As<Napi::Function>());
  return old;
}

Napi::Value SigProcMask(const Napi::CallbackInfo& info) {
  const Args args(info);
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
    RunPendingHandlers();
  }
  return ArrayOf(args.env(), old);
}

Napi::Value SigPending(const Napi::CallbackInfo& info) {
  const Args args(info);
  sigset_t set;
  args.Checked(sigpending(&set));
  return ArrayOf(args.env(), set);
}

void SigSuspend(const Napi::CallbackInfo& info) {
  const Args args(info);
  RequireMainThread(args);
  SuspendUntilHandled(SetOf(args, info[0], "mask"));
}

void Pause(const Napi::CallbackInfo& info) {
  const Args args(info);
  RequireMainThread(args);
  SuspendUntilHandled(UserMask());
}

// kill(), killpg() and raise() return when a signal that they sent to this process has been handled.
void Kill(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int pid = args.Int(0, "pid");
  args.Checked(SendSignal(pid, args.Int(1, "sig")));
  RunPendingHandlers();
}

void KillPg(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int group = args.Int(0, "pgrp");
  const int signo = args.Int(1, "sig");
  const auto send = [&] {
    SignalWindow window;
    return killpg(group, signo);
  };
  args.Checked(send());
  RunPendingHandlers();
}

void Raise(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int signo = args.Int(0, "sig");
  if (raise(signo) != 0) throw SystemError(args.env(), errno, "raise");
  RunPendingHandlers();
}

Napi::Value Alarm(const Napi::CallbackInfo& info) {
  const Args args(info);
  return Napi::Number::New(args.env(), alarm(args.Unsigned(0, "seconds")));
}

Napi::Object Describe(Napi::Env env, const itimerval& timer) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("it_interval", TimevalToObject(env, timer.it_interval));
  object.Set("it_value", TimevalToObject(env, timer.it_value));
  return object;
}

Napi::Value SetITimer(const Napi::CallbackInfo& info) {
  const Args args(info);
  const Napi::Object given = args.Object(1, "new_value");
  itimerval wanted{};
  itimerval old{};
  wanted.it_interval = TimevalFrom(args, given.Get("it_interval"), "it_interval");
  wanted.it_value = TimevalFrom(args, given.Get("it_value"), "it_value");
  args.Checked(setitimer(static_cast<ITimerWhich>(args.Int(0, "which")), &wanted, &old));
  return Describe(args.env(), old);
}

Napi::Value GetITimer(const Napi::CallbackInfo& info) {
  const Args args(info);
  itimerval now{};
  args.Checked(getitimer(static_cast<ITimerWhich>(args.Int(0, "which")), &now));
  return Describe(args.env(), now);
}

Napi::Value SleepFor(const Napi::CallbackInfo& info) {
  const Args args(info);
  return Napi::Number::New(args.env(), static_cast<double>(Sleep(args.Unsigned(0, "seconds"))));
}

}  // namespace

void ExportSignals(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"sigaction", SigAction},   {"sigprocmask", SigProcMask},
      {"sigpending", SigPending}, {"sigsuspend", SigSuspend},
      {"pause", Pause},           {"kill", Kill},
      {"killpg", KillPg},         {"raise", Raise},
      {"alarm", Alarm},           {"setitimer", SetITimer},
      {"getitimer", GetITimer},   {"sleep", SleepFor},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
