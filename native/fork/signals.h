// What becomes of signals around a fork.
#pragma once

#include <signal.h>

#include <array>

namespace truefork {

// Blocks every signal while it lives, so that none is handled between fork() and the child being itself.
// sigprocmask(2), not pthread_sigmask: on Linux both are the calling thread's own, and the latter would need
// a newer glibc.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked();
  ~AllSignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// A process that stays in native code can run no JavaScript signal handler: while this lives, the signals
// that would reach one take their default action. A child gives them back as they were, before it unblocks
// any.
class HandlersSuspended {
 public:
  HandlersSuspended();
  ~HandlersSuspended() { Restore(); }
  HandlersSuspended(const HandlersSuspended&) = delete;
  HandlersSuspended& operator=(const HandlersSuspended&) = delete;

  void Restore();

 private:
  std::array<struct sigaction, NSIG> before_{};
};

}  // namespace truefork
