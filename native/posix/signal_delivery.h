// How a signal reaches the JavaScript that handles it.
//
// A signal that has a JavaScript handler stays blocked in the main thread, so the kernel keeps it pending:
// nothing of it is stored here, and standard signals coalesce as POSIX has them. It is taken, one at a time
// (sigtimedwait), when a call that waits begins or is interrupted, and by the event loop, which watches a
// signalfd.
//
// Only while such a call is in the kernel are those signals unblocked. The C handler then gives the signal
// back to the main thread, pending again, and that it ran is what interrupts the call. Where it ran in
// another thread of Node's, giving it to the main thread is what wakes that one.
#pragma once

#include <errno.h>
#include <napi.h>
#include <signal.h>

namespace truefork {

// What the handlers that ran mean to a call that waits: SA_RESTART of all of them, or not.
enum class Handled { None, Restart, Interrupt };

// Runs the handlers of the signals that are pending and that the user does not block. What one throws is
// thrown.
Handled RunPendingHandlers(Napi::Env env);

// While it lives, signals with a handler can interrupt the system call that is being made. One that came
// after the handlers were run, but before the call was in the kernel, interrupts it as well: a timer knocks
// until it has.
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
// wait; call(false) must not: it fails with EINTR where it would have to. A signal that came before the call
// counts as one that came while it waited: so a loop like `while (!done) accept(…)` never sleeps through the
// signal that sets done.
template <typename Call>
long Interruptible(Napi::Env env, OnHandler rule, Call call) {
  for (;;) {
    const Handled handled = RunPendingHandlers(env);
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

// The signal mask as the user knows it: without what is blocked for the sake of the above.
const sigset_t& UserMask();
void SetUserMask(const sigset_t& mask);

// Waits with this mask, as sigsuspend(2), until a handler has run.
void SuspendUntilHandled(Napi::Env env, const sigset_t& mask);

struct Disposition {
  enum class Kind { Default, Ignore, Handler } kind = Kind::Default;
  Napi::Function handler;
  sigset_t mask{};
  int flags = 0;
};

// sigaction(2). False with errno set when the kernel refuses.
Disposition CurrentDisposition(int signo);
bool SetDisposition(Napi::Env env, int signo, const Disposition& wanted);

// SIGCHLD is libuv's now: it waits for child processes of node:child_process.
bool ChildSignalIsLibuvs();

bool OnMainThread();

// In a forked child: what was shared with the parent is made anew. Handlers are kept, as fork(2) says.
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
