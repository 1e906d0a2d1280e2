#include "server/spares.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace truefork {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kFirstPause = kSecond / 100;
constexpr int64_t kLongestPause = 5 * kSecond;
constexpr int64_t kRest = kSecond / 500;
// Who has not been needed for so long will not be soon.
constexpr int64_t kIdleTime = 30 * kSecond;

}  // namespace

Pool::Pool(const Options& options) : options_(options), wanted_(options.min) {
  if (!Reuses()) return;
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, done_) != 0) options_.connectionsPerChild = 1;
}

bool Pool::WantsMore(size_t processes, size_t most, int64_t now) const {
  return !isDismissed_ && idle_.size() < wanted_ && processes < most && now >= MayForkAt();
}

int64_t Pool::NextDeadline() const {
  if (isDismissed_) return 0;
  if (idle_.size() < wanted_) return MayForkAt();
  return idle_.size() > options_.min ? lastConnection_ + kIdleTime : 0;
}

// A fork at once would take the CPU away from the connection that made it necessary.
int64_t Pool::MayForkAt() const { return std::max(pausedUntil_, lastConnection_ + kRest); }

std::optional<Pool::Worker> Pool::HandOver(const Connection& connection, int64_t now) {
  lastConnection_ = now;
  while (!idle_.empty()) {
    Worker worker = idle_.back();
    idle_.pop_back();
    worker.served++;
    const bool isLast = worker.served >= options_.connectionsPerChild;
    const auto& [fd, id, peer, local, host] = connection;
    if (!SendConnection(worker.line, {fd, id, peer, local, isLast})) {
      SendAway(worker);  // it has ended, and is about to be reaped
      continue;
    }
    pause_ = pausedUntil_ = 0;
    if (isLast) {
      close(worker.line);
    } else {
      busy_.emplace(worker.pid, worker);
    }
    return worker;
  }
  wanted_ = std::clamp(wanted_ * 2, std::min(1u, options_.max), std::max(1u, options_.max));
  return std::nullopt;
}

std::optional<Pool::Worker> Pool::NextDone() {
  pid_t pid;
  while (done_[0] >= 0 && recv(done_[0], &pid, sizeof pid, MSG_DONTWAIT) == sizeof pid) {
    const auto found = busy_.find(pid);
    if (found == busy_.end()) continue;
    const Worker worker = found->second;
    busy_.erase(found);
    if (isDismissed_) {
      SendAway(worker);
    } else {
      idle_.push_back(worker);
    }
    return worker;
  }
  return std::nullopt;
}

void Pool::Forget(pid_t pid, int64_t now) {
  const auto busy = busy_.find(pid);
  if (busy != busy_.end()) {
    close(busy->second.line);
    busy_.erase(busy);
    return;
  }
  const auto idle = std::find_if(idle_.begin(), idle_.end(), [pid](const Worker& w) { return w.pid == pid; });
  if (idle == idle_.end()) return;
  close(idle->line);
  idle_.erase(idle);
  PauseAfterFailure(now);
}

void Pool::PauseAfterFailure(int64_t now) {
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  pausedUntil_ = now + pause_;
}

void Pool::Trim(int64_t now) {
  if (idle_.size() <= options_.min || now < lastConnection_ + kIdleTime) return;
  wanted_ = options_.min;
  const auto spared = idle_.end() - options_.min;
  std::for_each(idle_.begin(), spared, [this](const Worker& worker) { SendAway(worker); });
  idle_.erase(idle_.begin(), spared);
}

void Pool::Dismiss() {
  isDismissed_ = true;
  for (const Worker& worker : idle_) SendAway(worker);
  idle_.clear();
}

void Pool::SendAway(const Worker& worker) const { close(worker.line); }

void Pool::CloseDescriptors() {
  for (const Worker& worker : idle_) close(worker.line);
  for (const auto& [pid, worker] : busy_) close(worker.line);
  if (done_[0] >= 0) close(done_[0]);
  done_[0] = -1;
  idle_.clear();
  busy_.clear();
}

}  // namespace truefork
