// How a signal reaches the JavaScript function that handles it.
//
// A signal that has such a handler stays blocked in the main thread, so the kernel keeps it pending. Nothing
// of it is stored here, and standard signals coalesce as POSIX says. A pending signal is taken with
// sigtimedwait(2), one at a time, at three moments: when a call that may wait begins, when such a call was
// interrupted, and by the event loop, which watches a signalfd(2).
//
// Only while a waiting call is in the kernel are those signals unblocked. The C handler then makes the signal
// pending again for the main thread; that it ran is what interrupts the call. Where it ran in another thread
// of Node's, making the signal pending for the main thread is what wakes that one.
//
// This file knows signals and libuv, and no JavaScript: what a handler is, binding/posix/signal.cc knows.
#pragma once

#include <errno.h>
#include <signal.h>
#include <uv.h>

namespace truefork {

// What delivery calls.
struct SignalHooks {
  // Runs the handler of a signal, with the handler's mask in force. What the handler throws passes through.
  void (*runHandler)(int signo, const siginfo_t& info);
  // Called on the event loop's top level when signals are pending: has RunPendingHandlers() called.
  void (*fromEventLoop)();
};

// Once, before the first handler is set. False with errno set where the kernel has no descriptor left.
bool StartSignalDelivery(uv_loop_t* loop, const SignalHooks& hooks);

// Takes the signals off the event loop, which Node turns once more when no JavaScript can run any longer.
void StopWatchingSignals();

// What the handlers that ran mean to a call that waits: Restart if all of them have SA_RESTART.
enum class Handled { None, Restart, Interrupt };

// Runs the handlers of the signals that are pending and that the user does not block.
Handled RunPendingHandlers();

// While it lives, signals with a handler can interrupt the system call that is being made. A signal that came
// after the handlers were run, but before the call was in the kernel, interrupts it as well: a timer repeats
// the interruption until the window is closed.
class SignalWindow {
 public:
  SignalWindow();
  ~SignalWindow();  // leaves errno alone
  SignalWindow(const SignalWindow&) = delete;
  SignalWindow& operator=(const SignalWindow&) = delete;

 private:
  bool open_;
};

enum class OnHandler { MayRestart, NeverRestarts };  // signal(7) lists which calls SA_RESTART applies to

// A system call that may wait, until it has a result or a handler without SA_RESTART has run. call(true) may
// wait. call(false) must not: it fails with EINTR where it would have to. A signal that came before the call
// counts as one that came while it waited, so that a loop like `while (!done) accept(…)` never sleeps through
// the signal that sets done.
template <typename Call>
long Interruptible(OnHandler rule, Call call) {
  for (;;) {
    const Handled handled = RunPendingHandlers();
    if (handled == Handled::Interrupt || (handled == Handled::Restart && rule == OnHandler::NeverRestarts)) {
      return call(false);
    }
    long result;
    {
      SignalWindow window;
      result = call(true);
    }
    if (result >= 0 || errno != EINTR) return result;
  }
}

// The signal mask as the user knows it: without what is blocked for the sake of delivery.
const sigset_t& UserMask();
void SetUserMask(const sigset_t& mask);

// Waits with this mask, as sigsuspend(2), until a handler has run.
void SuspendUntilHandled(const sigset_t& mask);

struct SignalAction {
  enum class Kind { Default, Ignore, Handler } kind = Kind::Default;
  sigset_t mask{};
  int flags = 0;
};

// sigaction(2). False with errno set when the kernel refuses. Kind::Handler needs StartSignalDelivery()
// first.
SignalAction CurrentSignalAction(int signo);
bool SetSignalAction(int signo, const SignalAction& wanted);

// Whether libuv handles SIGCHLD now: it waits for child processes of node:child_process.
bool ChildSignalIsLibuvs();

// kill(2), which returns when a signal that the process sends itself has been handled.
int SendSignal(pid_t pid, int signo);

bool OnMainThread();

// In a forked child: renews what was shared with the parent. Handlers are kept, as fork(2) says.
void SignalsAfterFork();

// While it lives, the process is as the program that is about to replace it shall find it (execve(2)):
// handled signals have their default action, and the mask is the user's.
class SignalsForExec {
 public:
  SignalsForExec();
  ~SignalsForExec();  // the exec failed: as before
  SignalsForExec(const SignalsForExec&) = delete;
  SignalsForExec& operator=(const SignalsForExec&) = delete;

 private:
  bool pipeSignalWasNodes_;
};

}  // namespace truefork
