#include "posix/signal_delivery.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

#include "binding/errors.h"
#include "support/libc.h"

namespace truefork {

namespace {

// Knocks at a call that a signal came just before. SIGRTMAX is kept for it, as glibc keeps the first two for
// itself.
const int kKnock = SIGRTMAX;
constexpr long kKnockNanoseconds = 500'000;

struct Action {
  bool set = false;  // by the user: Node's own dispositions are otherwise in force
  Disposition::Kind kind = Disposition::Kind::Default;
  Napi::FunctionReference handler;
  sigset_t mask{};
  int flags = 0;
};

Action* actions =
    new Action[NSIG];  // never freed: references must not outlive the environment in a destructor
sigset_t handled;      // the signals whose disposition is a handler of ours
bool anyHandled = false;
sigset_t userMask;

Napi::Env* environment = nullptr;
Napi::FunctionReference* runPending =
    nullptr;          // a callback from the event loop, with the ticks that follow one
int descriptor = -1;  // the signalfd
uv_poll_t watcher;
uv_check_t afterPoll;
int knockTimer = -1;

// The kernel lets no thread tell another that a signal came from it: the code has to say that a program made
// it up, until it is read.
constexpr int kFromOtherThread = -0x10000;

volatile sig_atomic_t windowIsOpen = 0;
volatile sig_atomic_t knocking = 0;

void SetKnocking(bool on) {
  itimerspec interval{};
  if (on) interval.it_value.tv_nsec = interval.it_interval.tv_nsec = kKnockNanoseconds;
  knocking = on;
  // timer_settime(2) itself: as a library function it would need a newer glibc.
  syscall(SYS_timer_settime, knockTimer, 0, &interval, nullptr);
}

void OnSignal(int signo, siginfo_t* info, void* context) {
  const int saved = errno;
  const pid_t mainThread = getpid();
  const bool onMainThread = OnMainThread();
  siginfo_t passedOn = *info;
  if (!onMainThread) passedOn.si_code += kFromOtherThread;
  syscall(SYS_rt_tgsigqueueinfo, mainThread, mainThread, signo, &passedOn);
  if (windowIsOpen && onMainThread) {
    // Only the first 64 bits of this set exist in the frame, which sigaddset keeps to.
    auto* frame = static_cast<ucontext_t*>(context);
    for (int each = 1; each < NSIG; each++) {
      if (sigismember(&handled, each) == 1) sigaddset(&frame->uc_sigmask, each);
    }
    SetKnocking(true);
  }
  errno = saved;
}

void OnKnock(int) {}

sigset_t Deliverable() {
  sigset_t set;
  sigemptyset(&set);
  for (int signo = 1; signo < NSIG; signo++) {
    if (sigismember(&handled, signo) == 1 && sigismember(&userMask, signo) == 0) sigaddset(&set, signo);
  }
  return set;
}

void ApplyMask() {
  sigset_t real = userMask;
  for (int signo = 1; signo < NSIG; signo++) {
    if (sigismember(&handled, signo) == 1) sigaddset(&real, signo);
  }
  if (anyHandled) sigaddset(&real, kKnock);
  sigprocmask(SIG_SETMASK, &real, nullptr);
  if (descriptor >= 0) {
    const sigset_t deliverable = Deliverable();
    signalfd(descriptor, &deliverable, 0);
  }
}

// From the check phase, not from the poll callback: a handler may fork, and then the events that libuv has
// already fetched would be seen by both processes.
void OnCheck(uv_check_t* check) {
  uv_check_stop(check);
  Napi::HandleScope scope(*environment);
  try {
    runPending->Value().MakeCallback(environment->Global(), {});
  } catch (const Napi::Error& error) {
    napi_fatal_exception(*environment, error.Value());
  }
}

void OnReadable(uv_poll_t*, int, int) { uv_check_start(&afterPoll, OnCheck); }

void MakeKnockTimer() {
  struct sigevent event {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kKnock;
  NotifiedThread(event) = getpid();
  syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &knockTimer);
}

// Node turns its event loop once more when it has taken the environment down, and no JavaScript can run.
void StopWatchingAtExit(Napi::Env env) {
  const auto stop = [](const Napi::CallbackInfo&) {
    uv_poll_stop(&watcher);
    uv_check_stop(&afterPoll);
  };
  const auto process = env.Global().Get("process").As<Napi::Object>();
  process.Get("on").As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, stop, "stopWatchingSignals")});
}

bool StartWatching(Napi::Env env) {
  sigset_t none;
  sigemptyset(&none);
  descriptor = signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) return false;
  environment = new Napi::Env(env);
  const auto run = Napi::Function::New(
      env, [](const Napi::CallbackInfo& info) { RunPendingHandlers(info.Env()); }, "deliverSignals");
  runPending = new Napi::FunctionReference(Napi::Persistent(run));
  sigprocmask(SIG_SETMASK, nullptr, &userMask);

  struct sigaction knock {};
  knock.sa_handler = OnKnock;
  sigemptyset(&knock.sa_mask);
  sigaction(kKnock, &knock, nullptr);
  MakeKnockTimer();

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  uv_poll_init(loop, &watcher, descriptor);
  uv_check_init(loop, &afterPoll);
  uv_poll_start(&watcher, UV_READABLE, OnReadable);
  // As a listener of process.on() a handler keeps no process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&watcher));
  uv_unref(reinterpret_cast<uv_handle_t*>(&afterPoll));
  StopWatchingAtExit(env);
  return true;
}

struct sigaction KernelAction(Disposition::Kind kind, int flags) {
  struct sigaction action {};
  sigfillset(&action.sa_mask);  // the C handler's own: the user's mask is kept while the JavaScript one runs
  action.sa_flags = flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
  if (kind == Disposition::Kind::Handler) {
    action.sa_sigaction = OnSignal;
    action.sa_flags |= SA_SIGINFO;
  } else {
    action.sa_handler = kind == Disposition::Kind::Ignore ? SIG_IGN : SIG_DFL;
  }
  return action;
}

void Remember(int signo, const Disposition& wanted) {
  Action& action = actions[signo];
  action.set = true;
  action.kind = wanted.kind;
  action.mask = wanted.mask;
  action.flags = wanted.flags;
  action.handler.Reset();
  if (wanted.kind == Disposition::Kind::Handler) {
    action.handler = Napi::Persistent(wanted.handler);
    sigaddset(&handled, signo);
  } else {
    sigdelset(&handled, signo);
  }
  anyHandled = false;
  for (int each = 1; each < NSIG; each++) anyHandled |= sigismember(&handled, each) == 1;
}

Napi::Object Describe(Napi::Env env, const siginfo_t& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("signo", info.si_signo);
  object.Set("code", info.si_code);
  // The rest is a union, of which a signal from the kernel, other than SIGCHLD, fills neither.
  const bool fromProcess = info.si_code <= 0 && info.si_code != SI_TIMER;
  const bool fromChild = info.si_signo == SIGCHLD && info.si_code > 0;
  object.Set("pid", fromProcess || fromChild ? info.si_pid : 0);
  object.Set("uid", fromProcess || fromChild ? static_cast<double>(info.si_uid) : 0);
  object.Set("status", fromChild ? info.si_status : 0);
  return object;
}

class HandlerMask {
 public:
  explicit HandlerMask(const sigset_t& blocked) : before_(userMask) { SetUserMask(blocked); }
  ~HandlerMask() { SetUserMask(before_); }
  HandlerMask(const HandlerMask&) = delete;
  HandlerMask& operator=(const HandlerMask&) = delete;

 private:
  sigset_t before_;
};

// sigtimedwait(2) itself: the C library's turns SI_TKILL into SI_USER.
int TakePending(const sigset_t& set, siginfo_t* info) {
  const timespec atOnce{0, 0};
  constexpr size_t kKernelSetSize = 8;
  return static_cast<int>(syscall(SYS_rt_sigtimedwait, &set, info, &atOnce, kKernelSetSize));
}

void Run(Napi::Env env, int signo, const siginfo_t& info) {
  Napi::HandleScope scope(env);
  const Action& action = actions[signo];
  const Napi::Function handler = action.handler.Value();
  sigset_t blocked = userMask;
  for (int each = 1; each < NSIG; each++) {
    if (sigismember(&action.mask, each) == 1) sigaddset(&blocked, each);
  }
  if ((action.flags & SA_NODEFER) == 0) sigaddset(&blocked, signo);
  const bool once = (action.flags & SA_RESETHAND) != 0;
  HandlerMask whileItRuns(blocked);
  if (once) SetDisposition(env, signo, {});
  handler.Call({Napi::Number::New(env, signo), Describe(env, info)});
}

}  // namespace

bool OnMainThread() { return syscall(SYS_gettid) == getpid(); }

Handled RunPendingHandlers(Napi::Env env) {
  Handled result = Handled::None;
  if (!anyHandled || !OnMainThread()) return result;
  for (;;) {
    const sigset_t deliverable = Deliverable();
    siginfo_t info;
    const int signo = TakePending(deliverable, &info);
    if (signo < 0 && errno == EINTR) continue;
    if (signo < 0) return result;
    if (info.si_code < kFromOtherThread / 2) info.si_code -= kFromOtherThread;
    const bool restarts = (actions[signo].flags & SA_RESTART) != 0;
    if (!restarts) result = Handled::Interrupt;
    if (restarts && result == Handled::None) result = Handled::Restart;
    Run(env, signo, info);
  }
}

SignalWindow::SignalWindow() : open_(anyHandled && OnMainThread()) {
  if (!open_) return;
  windowIsOpen = 1;
  sigprocmask(SIG_SETMASK, &userMask, nullptr);
}

SignalWindow::~SignalWindow() {
  if (!open_) return;
  const int saved = errno;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  windowIsOpen = 0;
  if (knocking) SetKnocking(false);
  ApplyMask();
  errno = saved;
}

const sigset_t& UserMask() {
  if (descriptor < 0) sigprocmask(SIG_SETMASK, nullptr, &userMask);
  return userMask;
}

void SetUserMask(const sigset_t& mask) {
  userMask = mask;
  sigdelset(&userMask, kKnock);
  ApplyMask();
}

void SuspendUntilHandled(Napi::Env env, const sigset_t& mask) {
  UserMask();
  HandlerMask whileItWaits(mask);
  while (RunPendingHandlers(env) == Handled::None) sigsuspend(&userMask);
}

Disposition CurrentDisposition(int signo) {
  Disposition current;
  sigemptyset(&current.mask);
  const Action& action = actions[signo];
  if (action.set) {
    current.kind = action.kind;
    current.mask = action.mask;
    current.flags = action.flags;
    if (action.kind == Disposition::Kind::Handler) current.handler = action.handler.Value();
    return current;
  }
  struct sigaction kernels {};
  if (sigaction(signo, nullptr, &kernels) == 0 && kernels.sa_handler == SIG_IGN) {
    current.kind = Disposition::Kind::Ignore;
  }
  return current;  // a handler that Node has there is what it calls the default
}

bool SetDisposition(Napi::Env env, int signo, const Disposition& wanted) {
  if (signo == kKnock) {
    errno = EINVAL;
    return false;
  }
  if (wanted.kind == Disposition::Kind::Handler && descriptor < 0 && !StartWatching(env)) return false;
  const struct sigaction action = KernelAction(wanted.kind, wanted.flags);
  // Blocked first, when it gets a handler; unblocked last, when it loses it.
  if (wanted.kind == Disposition::Kind::Handler) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signo);
    sigprocmask(SIG_BLOCK, &one, nullptr);
  }
  const bool done = sigaction(signo, &action, nullptr) == 0;
  const int errnum = errno;
  if (done) Remember(signo, wanted);
  if (descriptor >= 0) ApplyMask();
  errno = errnum;
  return done;
}

bool ChildSignalIsLibuvs() {
  struct sigaction action {};
  sigaction(SIGCHLD, nullptr, &action);
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && action.sa_sigaction != OnSignal;
}

void SignalsAfterFork() {
  if (descriptor < 0) return;
  // In the place of the old one, whose set of signals the parent goes on using. libuv has not yet put its
  // number into the child's own epoll.
  const sigset_t deliverable = Deliverable();
  const int fresh = signalfd(-1, &deliverable, SFD_CLOEXEC | SFD_NONBLOCK);
  dup3(fresh, descriptor, O_CLOEXEC);
  close(fresh);
  MakeKnockTimer();  // timers are not inherited
}

SignalsForExec::SignalsForExec() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signo = 1; signo < NSIG; signo++) {
    if (anyHandled && sigismember(&handled, signo) == 1) sigaction(signo, &standard, nullptr);
  }
  // Node ignores SIGPIPE for itself; ignoring is inherited, and few programs expect it.
  pipeSignalWasNodes_ = !actions[SIGPIPE].set;
  if (pipeSignalWasNodes_) sigaction(SIGPIPE, &standard, nullptr);
  if (descriptor >= 0) sigprocmask(SIG_SETMASK, &userMask, nullptr);
}

SignalsForExec::~SignalsForExec() {
  const int saved = errno;
  if (descriptor >= 0) ApplyMask();
  for (int signo = 1; signo < NSIG; signo++) {
    if (!anyHandled || sigismember(&handled, signo) != 1) continue;
    const struct sigaction action = KernelAction(actions[signo].kind, actions[signo].flags);
    sigaction(signo, &action, nullptr);
  }
  if (pipeSignalWasNodes_) signal(SIGPIPE, SIG_IGN);
  errno = saved;
}

}  // namespace truefork
