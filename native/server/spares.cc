#include "server/spares.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "protocol/handoff.h"
#include "support/assert.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstWait = 10ms;
constexpr Duration kLongestWait = 5s;
// A fork right after a connection came would take the CPU away from that connection.
constexpr Duration kRest = 2ms;
// A spare that was not needed for so long will not be needed soon.
constexpr Duration kIdleTime = 30s;

}  // namespace

Spares::Spares(const Options& options)
    : options_(options), wanted_(options.min), backoff_(kFirstWait, kLongestWait) {
  if (!Reuses()) return;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) options_.connectionsPerChild = 1;
}

bool Spares::WantsMore(size_t processes, size_t maximum, Time now) const {
  return !isDismissed_ && idle_.size() < wanted_ && processes < maximum && now >= MayForkAt() &&
         !backoff_.IsWaiting(now);
}

Deadline Spares::NextDeadline(Time now) const {
  if (isDismissed_) return Deadline::Never();
  if (idle_.size() < wanted_) {
    if (backoff_.IsWaiting(now)) return backoff_.NextDeadline(now);
    return now < MayForkAt() ? MayForkAt() : Deadline::Never();
  }
  return idle_.size() > options_.min ? lastConnection_ + kIdleTime : Deadline::Never();
}

Time Spares::MayForkAt() const { return lastConnection_ + kRest; }

void Spares::AddIdle(const Worker& worker, Time now) {
  if (Watch(worker)) {
    idle_.insert(idle_.begin(), worker);
  } else {
    close(worker.channel);
    backoff_.OnFailure(now);
  }
}

void Spares::AddBusy(const Worker& worker) {
  if (!Watch(worker)) {
    close(worker.channel);
    return;
  }
  const bool isNew = busy_.emplace(worker.pid, worker).second;
  TRUEFORK_ASSERT(isNew);
}

std::optional<Spares::Worker> Spares::HandOff(const Connection& client, Time now) {
  lastConnection_ = now;
  while (!idle_.empty()) {
    Worker worker = idle_.back();
    idle_.pop_back();
    worker.served++;
    const bool isLast = worker.served >= options_.connectionsPerChild;
    if (!SendHandoff(worker.channel, {client.fd, client.id, client.peer, client.local, isLast})) {
      Close(worker);  // It has ended, and is about to be reaped.
      continue;
    }
    backoff_.OnSuccess();
    if (isLast) {
      Close(worker);
    } else {
      busy_.emplace(worker.pid, worker);
    }
    return worker;
  }
  wanted_ = std::clamp(wanted_ * 2, std::min(1u, options_.max), std::max(1u, options_.max));
  return std::nullopt;
}

// Level-triggered: what is not looked at now is there the next time.
std::optional<Spares::DoneWorker> Spares::NextDone(Time now) {
  epoll_event event{};
  while (epoll_ >= 0 && epoll_wait(epoll_, &event, 1, 0) == 1) {
    const pid_t pid = event.data.fd;
    const auto found = busy_.find(pid);
    if (found == busy_.end()) {
      Forget(pid, now);  // An idle worker has nothing to say, unless it has ended.
      continue;
    }
    const Worker worker = found->second;
    Done done;
    const WorkerAnswer answer = ReceiveDone(worker.channel, done);
    if (answer == WorkerAnswer::None) return std::nullopt;
    busy_.erase(found);
    if (answer == WorkerAnswer::Gone) {
      Close(worker);  // It serves what it has, or has ended: SIGCHLD says when.
      continue;
    }
    if (isDismissed_) {
      Close(worker);
    } else {
      idle_.push_back(worker);
    }
    return DoneWorker{worker, done};
  }
  return std::nullopt;
}

void Spares::Forget(pid_t pid, Time now) {
  const auto busy = busy_.find(pid);
  if (busy != busy_.end()) {
    Close(busy->second);
    busy_.erase(busy);
    return;
  }
  const auto idle = std::find_if(idle_.begin(), idle_.end(), [pid](const Worker& w) { return w.pid == pid; });
  if (idle == idle_.end()) return;
  Close(*idle);
  idle_.erase(idle);
  backoff_.OnFailure(now);
}

void Spares::Trim(Time now) {
  if (idle_.size() <= options_.min || now < lastConnection_ + kIdleTime) return;
  wanted_ = options_.min;
  const auto kept = idle_.end() - options_.min;
  std::for_each(idle_.begin(), kept, [this](const Worker& worker) { Close(worker); });
  idle_.erase(idle_.begin(), kept);
}

void Spares::DismissAll() {
  isDismissed_ = true;
  for (const Worker& worker : idle_) Close(worker);
  idle_.clear();
}

// False where the kernel has no memory for it. A worker whose answer would not be heard must not come back:
// it exits when it finds its channel closed.
bool Spares::Watch(const Worker& worker) const {
  if (epoll_ < 0) return true;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = worker.pid;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, worker.channel, &event) == 0;
}

// EPOLL_CTL_DEL, because close(2) alone does not end the watch: a child that was just forked may still hold a
// copy of the descriptor (epoll(7), question 6).
void Spares::Close(const Worker& worker) const {
  if (epoll_ >= 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, worker.channel, nullptr);
  close(worker.channel);
}

// The epoll set first: it is shared with the zygote, and what a child did to it would be done to the
// zygote's.
void Spares::CloseDescriptors() {
  if (epoll_ >= 0) close(epoll_);
  epoll_ = -1;
  for (const Worker& worker : idle_) close(worker.channel);
  for (const auto& [pid, worker] : busy_) close(worker.channel);
  idle_.clear();
  busy_.clear();
}

}  // namespace truefork
