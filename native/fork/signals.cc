#include "fork/signals.h"

namespace truefork {

namespace {

// Faults of the program itself: V8 and Node handle some of them (a WebAssembly trap is a SIGSEGV).
bool IsFault(int signo) {
  return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL || signo == SIGTRAP;
}

bool HasHandler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

}  // namespace

AllSignalsBlocked::AllSignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before_);
}

HandlersSuspended::HandlersSuspended() : before_(std::make_unique<std::array<struct sigaction, NSIG>>()) {
  auto& before = *before_;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signo = 1; signo < NSIG; signo++) {
    if (IsFault(signo) || sigaction(signo, nullptr, &before[signo]) != 0) continue;
    if (HasHandler(before[signo])) sigaction(signo, &standard, nullptr);
  }
}

void HandlersSuspended::Restore() {
  if (!suspended_) return;
  suspended_ = false;
  for (int signo = 1; signo < NSIG; signo++)
    if (HasHandler((*before_)[signo])) sigaction(signo, &(*before_)[signo], nullptr);
}

OwnersSignalsIgnored::OwnersSignalsIgnored() : ignored_(true) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  auto* before = before_.data();
  for (const int signo : kSignals) sigaction(signo, &ignore, before++);
}

void OwnersSignalsIgnored::Restore() {
  if (!ignored_) return;
  ignored_ = false;
  const auto* before = before_.data();
  for (const int signo : kSignals) sigaction(signo, before++, nullptr);
}

}  // namespace truefork
