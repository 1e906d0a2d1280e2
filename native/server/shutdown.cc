#include "server/shutdown.h"

#include <signal.h>

#include "child/drain_flag.h"
#include "support/assert.h"

namespace truefork {

void Shutdown::Stop(Duration grace, Time now) {
  if (phase_ == Phase::None) {
    Enter(Phase::Draining);
    acceptor_.BeginDrain();
  }
  AskChildrenToFinish();
  deadline_ = now + grace;
}

void Shutdown::Retire() {
  StopListening();
  AskChildrenToFinish();
}

void Shutdown::Kill(Time now) {
  StopListening();
  acceptor_.DropHeldBack(now);
  children_.SignalGroups(SIGKILL);
  Enter(Phase::Killing);
  deadline_ = Deadline::Never();
}

Deadline Shutdown::NextDeadline() const {
  if (phase_ == Phase::Draining && acceptor_.HasDrained()) return Deadline::Immediate();
  return deadline_;
}

void Shutdown::Enforce(Time now) {
  if (phase_ == Phase::Draining && acceptor_.HasDrained()) StopListening();
  if (!deadline_.HasPassed(now)) return;
  StopListening();
  timeouts_.Blame(protocol::Limit::Grace);
  if (phase_ == Phase::Closed && timeouts_.killDelay() > Duration::zero()) {
    children_.SignalGroups(SIGTERM);
    Enter(Phase::Terminating);
    deadline_ = now + timeouts_.killDelay();
  } else {
    Kill(now);
  }
}

void Shutdown::StopListening() {
  if (phase_ >= Phase::Closed) return;
  acceptor_.Close();
  spares_.DismissAll();
  Enter(Phase::Closed);
}

// The flag is set before the signal is sent: a child that is being forked, and misses the signal, finds the
// flag.
void Shutdown::AskChildrenToFinish() {
  DrainFlag::Set();
  children_.Signal(kFinishSignal);
}

// Phases are only ever left for later ones.
void Shutdown::Enter(Phase phase) {
  TRUEFORK_ASSERT(phase >= phase_);
  phase_ = phase;
}

}  // namespace truefork
