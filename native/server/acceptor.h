// Where connections come from: the listeners, the limits on who is admitted, and the connection held back
// while no process can be forked for it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/connection.h"
#include "server/admission/admission.h"
#include "server/admission/refusals.h"
#include "server/backoff.h"
#include "server/listeners.h"
#include "server/reports.h"

namespace truefork {

class Acceptor {
 public:
  Acceptor(std::vector<Listeners::Socket> listeners, Admission& admission, Refusals& refusals,
           Reports& reports);

  // listen(2). False with errno set; `failed` is the system call that did.
  bool Listen(const char** failed) { return listeners_.Listen(failed); }

  // The zygote accepts nothing before the owner says Begin, which gives the id of the first connection.
  void Begin(uint64_t firstId);
  bool HasBegun() const { return hasBegun_; }
  uint64_t nextId() const { return nextId_; }

  // For poll(2): the descriptor to wait for, or -1 while no client could be accepted. A listener that stays
  // readable while nothing is accepted would make poll return at once, again and again.
  int PollFd(size_t serving, Time now) const;
  Deadline NextDeadline(size_t serving, Time now) const;

  // accept(2), where a client is ready and the limits allow; or the connection held back, which comes first.
  // `serving` is how many connections are served now.
  std::optional<Connection> Accept(bool isReady, size_t serving, Time now);

  // No process could be forked for this connection. It is kept, and comes again after a wait.
  void HoldBack(const Connection& client, int errnum, Time now);
  bool IsHoldingBack() const { return heldBack_.has_value(); }
  void DropHeldBack(Time now);

  // A fork has succeeded; or a child has ended, which may have freed what the last try was short of.
  void OnForkSuccess() { backoff_.OnSuccess(); }
  void RetryNow() { backoff_.RetryNow(); }
  bool IsBackingOff(Time now) const { return backoff_.IsWaiting(now); }

  // Draining accepts the clients that are in the backlog now, and no more. HasDrained() says when they all
  // have been.
  void BeginDrain();
  bool HasDrained() const { return drain_ && drain_->isOver; }

  bool IsOpen() const { return listeners_.IsOpen(); }
  void Close();

  // In a child.
  void CloseDescriptors();

 private:
  struct Drain {
    int left;  // how many clients the backlog can have held at the beginning
    bool isOver = false;
  };

  bool MayAccept(size_t serving, Time now) const;
  std::optional<Connection> AcceptOne(size_t serving, Time now);
  void BackOff(const char* syscall, int errnum, Time now);

  Listeners listeners_;
  Admission& admission_;
  Refusals& refusals_;
  Reports& reports_;
  bool hasBegun_ = false;
  uint64_t nextId_ = 1;
  std::optional<Drain> drain_;
  std::optional<Connection> heldBack_;
  Backoff backoff_;
};

}  // namespace truefork
