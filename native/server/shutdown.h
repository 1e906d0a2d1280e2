// How a server ends: it drains, then SIGTERM, then SIGKILL, each after its time.
#pragma once

#include "server/acceptor.h"
#include "server/children.h"
#include "server/limits/connection_timeouts.h"
#include "server/spares.h"
#include "support/time.h"

namespace truefork {

class Shutdown {
 public:
  Shutdown(Acceptor& acceptor, Spares& spares, Children& children, ConnectionTimeouts& timeouts)
      : acceptor_(acceptor), spares_(spares), children_(children), timeouts_(timeouts) {}

  // Accepts what is in the backlog, then closes the listeners. Children are asked to finish; those that last
  // longer than the grace period get SIGTERM, and SIGKILL after the delay that is set for connection
  // timeouts, too. A second command sets a new grace period.
  void Stop(Duration grace, Time now);

  // Another zygote serves the listeners from now on: closes this one's copies, so that clients in the backlog
  // are left to the other. Children are asked to finish, and get all the time they need.
  void Retire();

  // SIGKILL for every child.
  void Kill(Time now);

  bool HasBegun() const { return phase_ != Phase::None; }
  // No child is left, and none will come.
  bool IsOver() const { return !acceptor_.IsOpen() && children_.empty() && !acceptor_.IsHoldingBack(); }

  Deadline NextDeadline() const;
  void Enforce(Time now);

 private:
  enum class Phase {
    None,
    Draining,     // clients in the backlog are still accepted
    Closed,       // no listener is left; children may finish
    Terminating,  // they have had SIGTERM
    Killing,      // they have had SIGKILL
  };

  void StopListening();
  void AskChildrenToFinish();
  void Enter(Phase phase);

  Acceptor& acceptor_;
  Spares& spares_;
  Children& children_;
  ConnectionTimeouts& timeouts_;
  Phase phase_ = Phase::None;
  Deadline deadline_;  // when the phase is over
};

}  // namespace truefork
