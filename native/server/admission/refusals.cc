#include "server/admission/refusals.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace truefork {

using protocol::Policy;
using protocol::Reason;

namespace {

// To close on a client's unread words is to send a reset, and with it the client may lose what it was told:
// so it is left this long to read, or until too many are.
constexpr int64_t kReadingUs = 1'000'000;
constexpr size_t kMostLeaving = 64;

constexpr int64_t kBetweenRecordsUs = 1'000'000;

}  // namespace

void Refusals::SetPolicy(Reason reason, Policy policy, std::string text) {
  const auto index = static_cast<uint32_t>(reason);
  if (index < protocol::kReasons) manners_[index] = {policy, std::move(text)};
}

void Refusals::TurnAway(int fd, Reason reason, const Address& peer, int64_t now) {
  const auto index = static_cast<uint32_t>(reason);
  const Manner& manner = manners_[index];
  Tally& tally = tallies_[index];
  tally.untold++;
  tally.last = peer;
  if (manner.policy == Policy::Reset) {
    const linger abort{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  } else if (!manner.text.empty()) {
    // It is short, and an empty send buffer takes it whole.
    [[maybe_unused]] const ssize_t sent =
        send(fd, manner.text.data(), manner.text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    leaving_.push_back({fd, now + kReadingUs});
    if (leaving_.size() <= kMostLeaving) return;
    fd = leaving_.front().fd;
    leaving_.pop_front();
  }
  close(fd);
}

int64_t Refusals::NextDeadline() const {
  int64_t next = leaving_.empty() ? 0 : leaving_.front().closeAt;
  for (const Tally& tally : tallies_) {
    const int64_t tellAt = std::max<int64_t>(1, tally.tellAt);
    if (tally.untold > 0 && (next == 0 || tellAt < next)) next = tellAt;
  }
  return next;
}

void Refusals::Attend(Channel& channel, int64_t now) {
  while (!leaving_.empty() && leaving_.front().closeAt <= now) {
    close(leaving_.front().fd);
    leaving_.pop_front();
  }
  for (uint32_t reason = 0; reason < protocol::kReasons; reason++) {
    Tally& tally = tallies_[reason];
    if (tally.untold == 0 || now < tally.tellAt) continue;
    if (channel.IsCongested()) {
      tally.tellAt = now + kBetweenRecordsUs;  // the owner is behind: nothing is lost by waiting
    } else {
      Tell(channel, reason, now);
    }
  }
}

void Refusals::End(Channel& channel) {
  for (uint32_t reason = 0; reason < protocol::kReasons; reason++) {
    if (tallies_[reason].untold > 0) Tell(channel, reason, 0);
  }
  CloseDescriptors();
  leaving_.clear();
}

void Refusals::CloseDescriptors() {
  for (const Leaving& one : leaving_) close(one.fd);
}

void Refusals::Tell(Channel& channel, uint32_t reason, int64_t now) {
  Tally& tally = tallies_[reason];
  protocol::RefusedRecord record{reason, tally.untold, tally.last.Port(), {}};
  tally.last.Host().copy(record.remoteAddress, sizeof record.remoteAddress - 1);
  channel.Put(protocol::Record::Refused, record);
  tally.untold = 0;
  tally.tellAt = now + kBetweenRecordsUs;
}

}  // namespace truefork
