#include "server/child_isolation.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>

#include "isolation/parent_death.h"
#include "isolation/process_group.h"
#include "support/raw_syscall.h"

namespace truefork {

namespace {

// Orphans are looked for at most so often, so that the look costs nothing per connection.
constexpr Duration kBetweenSweeps = std::chrono::milliseconds(20);
constexpr Duration kLongestPause = std::chrono::seconds(1);
constexpr Duration kLongestEnd = std::chrono::seconds(2);

void Write(const char* text) {
  RawSyscall(SYS_write, STDERR_FILENO, RawPointer(text), static_cast<long>(strlen(text)));
}

[[noreturn]] void ExitUnconfined(const char* part, int errnum) {
  char digits[] = "000";
  for (int i = 2; i >= 0; i--, errnum /= 10) digits[i] = static_cast<char>('0' + errnum % 10);
  const char* const line[] = {"truefork: a child could not be confined, and exits: ", part, ", errno ",
                              digits, "\n"};
  for (const char* text : line) Write(text);
  for (;;) RawSyscall(SYS_exit_group, EX_OSERR);
}

}  // namespace

std::vector<Failure> ChildIsolation::Prepare() {
  if (options_.endsLeftovers) {
    MakeSubreaper();
    zygotesOwn_ = tree_.ChildrenOf(getpid());
  }
  std::vector<Failure> failures = confinement_.Prepare(options_.confinement);
  if (options_.isBestEffort) failures.clear();
  return failures;
}

bool ChildIsolation::TakeUser(uint32_t* uid) {
  *uid = 0;
  if (!confinement_.NeedsUser()) return true;
  const auto taken = options_.users ? options_.users->Take() : std::nullopt;
  if (!taken) {
    errno = EAGAIN;
    return false;
  }
  *uid = *taken;
  return true;
}

void ChildIsolation::ReleaseUser(uint32_t uid) {
  if (uid != 0) options_.users->Release(uid);
}

void ChildIsolation::Enter(pid_t zygote, uint32_t uid) const {
  LeadProcessGroup();
  if (options_.endsLeftovers) MakeSubreaper();
  const Confinement::Entered entered = confinement_.Enter(uid);
  if (entered.part != nullptr) ExitUnconfined(entered.part, entered.errnum);
  DieWithParent(zygote);  // after the change of user, which would disarm it
}

void ChildIsolation::OnStarted(pid_t pid, uint32_t uid) {
  MakeProcessGroup(pid);
  if (uid != 0) users_.emplace(pid, uid);
}

void ChildIsolation::OnEnded(pid_t pid, Time now) {
  const auto user = users_.find(pid);
  if (user != users_.end()) {
    ReleaseUser(user->second);
    users_.erase(user);
  }
  if (options_.endsLeftovers)
    sweepAt_ = std::min<Deadline>(sweepAt_, std::max(now, sweptAt_ + kBetweenSweeps));
}

// What is killed becomes the zygote's to wait for, and what it started meanwhile the zygote's child: another
// look follows, until nothing was found.
void ChildIsolation::Enforce(Time now, const std::function<bool(pid_t)>& isChild) {
  if (!sweepAt_.HasPassed(now)) return;
  sweepAt_ = Deadline::Never();
  sweptAt_ = now;
  bool found = false;
  tree_.KillOrphans([&](pid_t pid) {
    const bool isKnown = isChild(pid) || std::count(zygotesOwn_.begin(), zygotesOwn_.end(), pid) != 0;
    found |= !isKnown;
    return isKnown;
  });
  // Longer each time: a process of another user may not be ours to kill.
  pause_ = found ? std::clamp(pause_ * 2, kBetweenSweeps, kLongestPause) : Duration::zero();
  if (found) sweepAt_ = now + pause_;
}

void ChildIsolation::EndAll() {
  const Time until = Now() + kLongestEnd;
  do {
    tree_.KillOrphans([](pid_t) { return false; });
    while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
  } while (options_.endsLeftovers && !tree_.ChildrenOf(getpid()).empty() && Now() < until);
}

}  // namespace truefork
