#include "server/children.h"

#include <signal.h>
#include <sys/wait.h>

#include "isolation/process_group.h"
#include "support/assert.h"

namespace truefork {

namespace {

constexpr size_t kFewChildren = 256;
constexpr Duration kSweepDelay = std::chrono::milliseconds(20);

}  // namespace

void Children::Add(pid_t pid, uint32_t slot) {
  const bool isNew = live_.emplace(pid, Child{slot}).second;
  TRUEFORK_ASSERT(isNew);  // A pid is used again only after it was waited for, which removes it here.
}

void Children::BeginServing(pid_t pid, const Child::Serving& connection) {
  const auto found = live_.find(pid);
  TRUEFORK_ASSERT(found != live_.end() && !found->second.serving);
  found->second.serving = connection;
  serving_++;
}

Child::Serving Children::EndServing(pid_t pid, const Usage& usedSoFar) {
  const auto found = live_.find(pid);
  TRUEFORK_ASSERT(found != live_.end() && found->second.serving);
  const Child::Serving connection = *found->second.serving;
  found->second.serving.reset();
  found->second.before = usedSoFar;
  serving_--;
  return connection;
}

void Children::Signal(int signo) const {
  for (const auto& [pid, child] : live_) kill(pid, signo);
}

void Children::SignalGroups(int signo) const {
  for (const auto& [pid, child] : live_) SignalProcessGroup(pid, signo);
}

// waitpid(-1) makes the kernel search all children for one that has ended. With thousands of them that would
// cost more than a fork. Then only those are waited for that a signal came for, each of which the kernel
// finds by its pid at once. Because signals can be lost while one is pending, a sweep over all follows a
// little later.
void Children::Reap(Time now, const OnEnd& onEnd) {
  const arena::Vector<pid_t> signalled = signal_.Drain();
  const bool sweeps = sweepAt_.HasPassed(now) || (!signalled.empty() && live_.size() <= kFewChildren);
  if (sweeps) {
    while (Wait(-1, onEnd)) continue;
    sweepAt_ = Deadline::Never();
    return;
  }
  for (const pid_t pid : signalled) Wait(pid, onEnd);
  if (!signalled.empty()) sweepAt_ = std::min(sweepAt_, Deadline(now + kSweepDelay));
}

bool Children::Wait(pid_t which, const OnEnd& onEnd) {
  EndedChild ended{};
  ended.pid = wait4(which, &ended.status, WNOHANG, &ended.usage);
  if (ended.pid <= 0) return false;
  const auto found = live_.find(ended.pid);
  if (found == live_.end()) return true;
  ended.child = found->second;
  live_.erase(found);
  if (ended.child.serving) serving_--;
  onEnd(ended);
  return true;
}

}  // namespace truefork
