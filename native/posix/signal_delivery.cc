#include "posix/signal_delivery.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "support/assert.h"
#include "support/libc.h"

namespace truefork {

namespace {

// Interrupts a call that a signal came just before. SIGRTMAX is reserved for it, as glibc reserves the first
// two real-time signals for itself.
const int kInterrupt = SIGRTMAX;
constexpr long kInterruptEveryNanoseconds = 500'000;

// The kernel lets no thread tell another that a signal came from it: only a code below zero may be given. So
// this is added to the code of a signal that another thread passes on, and taken off again when it is read.
constexpr int kFromOtherThread = -0x10000;

struct Action : SignalAction {
  bool isUsers = false;  // set by the user; otherwise Node's own disposition is in force
};

struct State {
  SignalHooks hooks{};
  Action actions[NSIG];
  sigset_t handled{};  // the signals whose action is a handler
  bool anyHandled = false;
  sigset_t userMask{};
  int signalFd = -1;  // no delivery yet
  uv_poll_t watcher{};
  uv_check_t afterPoll{};
  int interruptTimer = -1;
  volatile sig_atomic_t windowIsOpen = 0;
  volatile sig_atomic_t isInterrupting = 0;
};

State state;

bool Has(const sigset_t& set, int signo) { return sigismember(&set, signo) == 1; }

void AddAll(sigset_t& set, const sigset_t& others) {
  for (int signo = 1; signo < NSIG; signo++)
    if (Has(others, signo)) sigaddset(&set, signo);
}

sigset_t Only(int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  return set;
}

void SetInterrupting(bool on) {
  itimerspec interval{};
  if (on) interval.it_value.tv_nsec = interval.it_interval.tv_nsec = kInterruptEveryNanoseconds;
  state.isInterrupting = on;
  // timer_settime(2) itself: as a library function it would need a newer glibc.
  syscall(SYS_timer_settime, state.interruptTimer, 0, &interval, nullptr);
}

// The C handler of every signal that has a JavaScript one. It makes the signal pending again, blocked this
// time: in an open window the mask that this handler returns to blocks what is handled.
void OnSignal(int signo, siginfo_t* info, void* context) {
  const int saved = errno;
  const pid_t mainThread = getpid();
  const bool onMainThread = OnMainThread();
  siginfo_t passedOn = *info;
  if (!onMainThread) passedOn.si_code += kFromOtherThread;
  syscall(SYS_rt_tgsigqueueinfo, mainThread, mainThread, signo, &passedOn);
  if (state.windowIsOpen && onMainThread) {
    // Only the first 64 bits of this set exist in the frame; sigaddset() stays within them.
    AddAll(static_cast<ucontext_t*>(context)->uc_sigmask, state.handled);
    SetInterrupting(true);
  }
  errno = saved;
}

sigset_t Deliverable() {
  sigset_t set;
  sigemptyset(&set);
  for (int signo = 1; signo < NSIG; signo++)
    if (Has(state.handled, signo) && !Has(state.userMask, signo)) sigaddset(&set, signo);
  return set;
}

void ApplyMask() {
  sigset_t real = state.userMask;
  AddAll(real, state.handled);
  if (state.anyHandled) sigaddset(&real, kInterrupt);
  sigprocmask(SIG_SETMASK, &real, nullptr);
  if (state.signalFd >= 0) {
    const sigset_t deliverable = Deliverable();
    signalfd(state.signalFd, &deliverable, 0);
  }
}

// Handlers run in the check phase, not in the poll callback: a handler may fork, and then parent and child
// would both see the events that libuv has already fetched.
void OnReadable(uv_poll_t*, int, int) {
  uv_check_start(&state.afterPoll, [](uv_check_t* check) {
    uv_check_stop(check);
    state.hooks.fromEventLoop();
  });
}

void MakeInterruptTimer() {
  struct sigevent event {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kInterrupt;
  NotifiedThread(event) = getpid();
  syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &state.interruptTimer);
}

void WatchSignals(uv_loop_t* loop) {
  uv_poll_init(loop, &state.watcher, state.signalFd);
  uv_check_init(loop, &state.afterPoll);
  uv_poll_start(&state.watcher, UV_READABLE, OnReadable);
  // Like a listener of process.on(), a handler keeps no process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&state.watcher));
  uv_unref(reinterpret_cast<uv_handle_t*>(&state.afterPoll));
}

struct sigaction KernelAction(const SignalAction& wanted) {
  struct sigaction action {};
  // All, while the C handler runs: the user's mask is kept while the JavaScript one does.
  sigfillset(&action.sa_mask);
  action.sa_flags = wanted.flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
  if (wanted.kind == SignalAction::Kind::Handler) {
    action.sa_sigaction = OnSignal;
    action.sa_flags |= SA_SIGINFO;
  } else {
    action.sa_handler = wanted.kind == SignalAction::Kind::Ignore ? SIG_IGN : SIG_DFL;
  }
  return action;
}

void Remember(int signo, const SignalAction& wanted) {
  static_cast<SignalAction&>(state.actions[signo]) = wanted;
  state.actions[signo].isUsers = true;
  if (wanted.kind == SignalAction::Kind::Handler)
    sigaddset(&state.handled, signo);
  else
    sigdelset(&state.handled, signo);
  state.anyHandled = false;
  for (int each = 1; each < NSIG; each++) state.anyHandled |= Has(state.handled, each);
}

class TemporaryMask {
 public:
  explicit TemporaryMask(const sigset_t& mask) : before_(state.userMask) { SetUserMask(mask); }
  ~TemporaryMask() { SetUserMask(before_); }
  TemporaryMask(const TemporaryMask&) = delete;
  TemporaryMask& operator=(const TemporaryMask&) = delete;

 private:
  sigset_t before_;
};

// sigtimedwait(2) itself: the C library's turns SI_TKILL into SI_USER.
int TakePending(const sigset_t& set, siginfo_t* info) {
  const timespec atOnce{0, 0};
  constexpr size_t kKernelSetSize = 8;
  return static_cast<int>(syscall(SYS_rt_sigtimedwait, &set, info, &atOnce, kKernelSetSize));
}

void RunHandler(int signo, const siginfo_t& info) {
  const Action action = state.actions[signo];
  TRUEFORK_ASSERT(action.kind == SignalAction::Kind::Handler);
  sigset_t blocked = state.userMask;
  AddAll(blocked, action.mask);
  if ((action.flags & SA_NODEFER) == 0) sigaddset(&blocked, signo);
  TemporaryMask whileItRuns(blocked);
  if ((action.flags & SA_RESETHAND) != 0) SetSignalAction(signo, {});
  state.hooks.runHandler(signo, info);
}

}  // namespace

bool StartSignalDelivery(uv_loop_t* loop, const SignalHooks& hooks) {
  TRUEFORK_ASSERT(state.signalFd < 0);
  sigset_t none;
  sigemptyset(&none);
  state.signalFd = signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
  if (state.signalFd < 0) return false;
  state.hooks = hooks;
  sigprocmask(SIG_SETMASK, nullptr, &state.userMask);

  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};  // that it ran is all
  sigemptyset(&interrupt.sa_mask);
  sigaction(kInterrupt, &interrupt, nullptr);
  MakeInterruptTimer();
  WatchSignals(loop);
  return true;
}

void StopWatchingSignals() {
  if (state.signalFd < 0) return;
  uv_poll_stop(&state.watcher);
  uv_check_stop(&state.afterPoll);
}

bool OnMainThread() { return syscall(SYS_gettid) == getpid(); }

Handled RunPendingHandlers() {
  Handled result = Handled::None;
  if (!state.anyHandled || !OnMainThread()) return result;
  for (;;) {
    siginfo_t info;
    const int signo = TakePending(Deliverable(), &info);
    if (signo < 0 && errno == EINTR) continue;
    if (signo < 0) return result;
    if (info.si_code < kFromOtherThread / 2) info.si_code -= kFromOtherThread;
    const bool restarts = (state.actions[signo].flags & SA_RESTART) != 0;
    if (!restarts) result = Handled::Interrupt;
    if (restarts && result == Handled::None) result = Handled::Restart;
    RunHandler(signo, info);
  }
}

SignalWindow::SignalWindow() : open_(state.anyHandled && OnMainThread()) {
  if (!open_) return;
  state.windowIsOpen = 1;
  sigprocmask(SIG_SETMASK, &state.userMask, nullptr);
}

SignalWindow::~SignalWindow() {
  if (!open_) return;
  const int saved = errno;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  state.windowIsOpen = 0;
  if (state.isInterrupting) SetInterrupting(false);
  ApplyMask();
  errno = saved;
}

const sigset_t& UserMask() {
  if (state.signalFd < 0) sigprocmask(SIG_SETMASK, nullptr, &state.userMask);
  return state.userMask;
}

void SetUserMask(const sigset_t& mask) {
  state.userMask = mask;
  sigdelset(&state.userMask, kInterrupt);
  ApplyMask();
}

void SuspendUntilHandled(const sigset_t& mask) {
  UserMask();
  TemporaryMask whileItWaits(mask);
  while (RunPendingHandlers() == Handled::None) sigsuspend(&state.userMask);
}

SignalAction CurrentSignalAction(int signo) {
  if (state.actions[signo].isUsers) return state.actions[signo];
  SignalAction current;
  sigemptyset(&current.mask);
  struct sigaction kernels {};
  // A handler that Node has there is what Node calls the default.
  if (sigaction(signo, nullptr, &kernels) == 0 && kernels.sa_handler == SIG_IGN)
    current.kind = SignalAction::Kind::Ignore;
  return current;
}

bool SetSignalAction(int signo, const SignalAction& wanted) {
  if (signo == kInterrupt) {
    errno = EINVAL;
    return false;
  }
  const bool handles = wanted.kind == SignalAction::Kind::Handler;
  TRUEFORK_ASSERT(!handles || state.signalFd >= 0);
  // A signal that gets a handler is blocked first; one that loses it is unblocked last, by ApplyMask().
  if (handles) {
    const sigset_t one = Only(signo);
    sigprocmask(SIG_BLOCK, &one, nullptr);
  }
  const struct sigaction action = KernelAction(wanted);
  const bool done = sigaction(signo, &action, nullptr) == 0;
  const int errnum = errno;
  if (done) Remember(signo, wanted);
  if (state.signalFd >= 0) ApplyMask();
  errno = errnum;
  return done;
}

bool ChildSignalIsLibuvs() {
  struct sigaction action {};
  sigaction(SIGCHLD, nullptr, &action);
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && action.sa_sigaction != OnSignal;
}

// A signal for this process must not go to another thread of Node's, which would pass it on a moment too
// late. So the process sends it to its main thread. A signal for other processes, or for a group that
// includes this one, is sent in a window: the kernel prefers the main thread where that does not block the
// signal.
int SendSignal(pid_t pid, int signo) {
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

void SignalsAfterFork() {
  if (state.signalFd < 0) return;
  // A new signalfd under the old number, for the parent goes on using the old one's set of signals. libuv has
  // not yet put that number into the child's own epoll.
  const sigset_t deliverable = Deliverable();
  const int fresh = signalfd(-1, &deliverable, SFD_CLOEXEC | SFD_NONBLOCK);
  dup3(fresh, state.signalFd, O_CLOEXEC);
  close(fresh);
  MakeInterruptTimer();  // timers are not inherited
}

SignalsForExec::SignalsForExec() : pipeSignalWasNodes_(!state.actions[SIGPIPE].isUsers) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signo = 1; signo < NSIG; signo++)
    if (state.anyHandled && Has(state.handled, signo)) sigaction(signo, &standard, nullptr);
  // Node ignores SIGPIPE for itself; ignoring is inherited, and few programs expect it.
  if (pipeSignalWasNodes_) sigaction(SIGPIPE, &standard, nullptr);
  if (state.signalFd >= 0) sigprocmask(SIG_SETMASK, &state.userMask, nullptr);
}

SignalsForExec::~SignalsForExec() {
  const int saved = errno;
  if (state.signalFd >= 0) ApplyMask();
  for (int signo = 1; signo < NSIG; signo++) {
    if (!state.anyHandled || !Has(state.handled, signo)) continue;
    const struct sigaction action = KernelAction(state.actions[signo]);
    sigaction(signo, &action, nullptr);
  }
  if (pipeSignalWasNodes_) signal(SIGPIPE, SIG_IGN);
  errno = saved;
}

}  // namespace truefork
