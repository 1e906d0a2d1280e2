// What becomes of signals around a fork.
#pragma once

#include <signal.h>

#include <array>
#include <memory>

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
  // Elsewhere, for it is large: whoever this is part of is to be on few pages.
  std::unique_ptr<std::array<struct sigaction, NSIG>> before_;
  bool suspended_ = true;
};

// A zygote in its loop has no use for the signals that ask a server for a reload or for its state: they are
// its owner's. Whoever sends them to the whole family must not end it. Children get back what was there
// before.
class OwnersSignalsIgnored {
 public:
  OwnersSignalsIgnored();
  ~OwnersSignalsIgnored() { Restore(); }
  OwnersSignalsIgnored(const OwnersSignalsIgnored&) = delete;
  OwnersSignalsIgnored& operator=(const OwnersSignalsIgnored&) = delete;

  void Restore();

 private:
  static constexpr int kSignals[] = {SIGHUP, SIGUSR1};
  std::array<struct sigaction, 2> before_{};
  bool ignored_ = false;
};

}  // namespace truefork
