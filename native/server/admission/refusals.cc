#include "server/admission/refusals.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "support/lingering_close.h"

namespace truefork {

using protocol::Policy;
using protocol::Reason;

namespace {

// A refused client gets less time than a served one to read what it was sent, and only so many get any.
constexpr Duration kReadingTime = std::chrono::seconds(1);
constexpr size_t kMostLingering = 64;

constexpr Duration kBetweenReports = std::chrono::seconds(1);

}  // namespace

void Refusals::SetPolicy(Reason reason, Policy policy, std::string text) {
  const auto index = static_cast<uint32_t>(reason);
  if (index < protocol::kReasons) manners_[index] = {policy, std::move(text)};
}

void Refusals::Refuse(int fd, Reason reason, const Address& peer, Time now) {
  const auto index = static_cast<uint32_t>(reason);
  const Manner& manner = manners_[index];
  Tally& tally = tallies_[index];
  tally.unreported++;
  tally.latest = peer;
  if (manner.policy == Policy::Reset) {
    const linger abort{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  } else if (!manner.text.empty()) {
    // The text is short, so that an empty send buffer takes it whole.
    [[maybe_unused]] const ssize_t sent =
        send(fd, manner.text.data(), manner.text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    BeginLingeringClose(fd);
    lingering_.push_back({fd, now + kReadingTime});
    if (lingering_.size() <= kMostLingering) return;
    fd = lingering_.front().fd;
    lingering_.pop_front();
  }
  close(fd);
}

Deadline Refusals::NextDeadline() const {
  Deadline next = lingering_.empty() ? Deadline::Never() : lingering_.front().closeAt;
  for (const Tally& tally : tallies_) {
    if (tally.unreported > 0) next = std::min(next, tally.reportAt);
  }
  return next;
}

void Refusals::Enforce(Time now) {
  while (!lingering_.empty() && lingering_.front().closeAt.HasPassed(now)) {
    close(lingering_.front().fd);
    lingering_.pop_front();
  }
  for (uint32_t reason = 0; reason < protocol::kReasons; reason++) {
    Tally& tally = tallies_[reason];
    if (tally.unreported == 0 || !tally.reportAt.HasPassed(now)) continue;
    if (reports_.IsCongested()) {
      tally.reportAt = now + kBetweenReports;  // the count goes on: nothing is lost by waiting
    } else {
      Report(reason, now);
    }
  }
}

void Refusals::Finish() {
  for (uint32_t reason = 0; reason < protocol::kReasons; reason++) {
    if (tallies_[reason].unreported > 0) Report(reason, Time{});
  }
  CloseDescriptors();
  lingering_.clear();
}

void Refusals::CloseDescriptors() {
  for (const Lingering& one : lingering_) close(one.fd);
}

void Refusals::Report(uint32_t reason, Time now) {
  Tally& tally = tallies_[reason];
  reports_.Refused(static_cast<Reason>(reason), tally.unreported, tally.latest);
  tally.unreported = 0;
  tally.reportAt = now + kBetweenReports;
}

}  // namespace truefork
