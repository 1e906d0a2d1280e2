#include "server/acceptor.h"

#include <errno.h>
#include <unistd.h>

#include <utility>

#include "support/faults.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstWait = 10ms;
constexpr Duration kLongestWait = 1s;

}  // namespace

Acceptor::Acceptor(std::vector<Listeners::Socket> listeners, Admission& admission, Refusals& refusals,
                   Reports& reports)
    : listeners_(std::move(listeners)),
      admission_(admission),
      refusals_(refusals),
      reports_(reports),
      backoff_(kFirstWait, kLongestWait) {}

void Acceptor::Begin(uint64_t firstId) {
  hasBegun_ = true;
  nextId_ = firstId;
}

bool Acceptor::MayAccept(size_t serving, Time now) const {
  if (reports_.IsCongested() || backoff_.IsWaiting(now)) return false;
  if (heldBack_) return !admission_.capacity().IsFull(serving);
  return hasBegun_ && IsOpen() && !HasDrained() && admission_.MayAccept(serving, now);
}

int Acceptor::PollFd(size_t serving, Time now) const {
  return !heldBack_ && MayAccept(serving, now) ? listeners_.fd() : -1;
}

Deadline Acceptor::NextDeadline(size_t serving, Time now) const {
  if ((drain_ || heldBack_) && MayAccept(serving, now)) return Deadline::Immediate();
  const Deadline opens = hasBegun_ && IsOpen() ? admission_.OpensAt(serving, now) : Deadline::Never();
  return std::min(backoff_.NextDeadline(now), opens);
}

std::optional<Connection> Acceptor::Accept(bool isReady, size_t serving, Time now) {
  if (!MayAccept(serving, now)) return std::nullopt;
  if (heldBack_) return std::exchange(heldBack_, std::nullopt);
  if (!drain_) return isReady ? AcceptOne(serving, now) : std::nullopt;
  auto client = AcceptOne(serving, now);
  if (--drain_->left <= 0) drain_->isOver = true;
  return client;
}

std::optional<Connection> Acceptor::AcceptOne(size_t serving, Time now) {
  Connection client{-1, 0, {}, {}, {}};
  int errnum = faults::Take(faults::Call::Accept);
  if (errnum == 0) {
    client.fd = listeners_.Accept(0, &client.peer, &client.local);
    if (client.fd < 0) errnum = errno;
  }
  if (errnum == EAGAIN) {
    if (drain_) drain_->isOver = true;  // the backlog is empty
  } else if (errnum != 0) {
    if (errnum != EINTR && !ConcernsOneClientOnly(errnum)) BackOff("accept", errnum, now);
  } else if (const auto reason = admission_.Refuse(client.peer, serving, now)) {
    refusals_.Refuse(client.fd, *reason, client.peer, now);
  } else {
    client.id = nextId_++;
    client.host = client.peer.Text();
    return client;
  }
  return std::nullopt;
}

void Acceptor::HoldBack(const Connection& client, int errnum, Time now) {
  heldBack_ = client;
  BackOff("fork", errnum, now);
}

void Acceptor::DropHeldBack(Time now) {
  if (!heldBack_) return;
  close(heldBack_->fd);
  admission_.Release(SourceOf(heldBack_->peer), now);
  heldBack_.reset();
}

void Acceptor::BeginDrain() {
  if (IsOpen() && !drain_) drain_ = Drain{listeners_.backlog()};
}

void Acceptor::Close() {
  if (!IsOpen()) return;
  listeners_.Close();
  refusals_.Finish();
}

void Acceptor::CloseDescriptors() {
  listeners_.Close();
  refusals_.CloseDescriptors();
}

// Reported once, until a fork succeeds again.
void Acceptor::BackOff(const char* syscall, int errnum, Time now) {
  if (!backoff_.HasFailed()) reports_.Trouble(syscall, errnum);
  backoff_.OnFailure(now);
}

}  // namespace truefork
