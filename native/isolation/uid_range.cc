#include "isolation/uid_range.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "isolation/capabilities.h"
#include "isolation/throwaway.h"
#include "support/raw_syscall.h"

namespace truefork {

namespace {

// kill(-1) spares the process that calls it, and reaches all others that its user may signal: after the
// change of user those of the same user alone.
int KillTheRest(const void* uid) {
  if (BecomeUser(*static_cast<const uint32_t*>(uid)) != 0) return -1;
  RawSyscall(SYS_kill, -1, SIGKILL);
  return 0;
}

// Looks at the real user ID of every process, those that have not been waited for among them; nobody needs to
// be allowed anything for it.
bool HasProcesses(uint32_t uid) { return RawSyscall(SYS_getpriority, PRIO_USER, uid) != -ESRCH; }

}  // namespace

UidRange::UidRange(uint32_t from, uint32_t to) : next_(std::max(from, 1u)), to_(to) {}

std::optional<uint32_t> UidRange::Take() {
  std::vector<uint32_t> asked;
  asked.swap(busy_);
  for (const uint32_t uid : asked) Release(uid);
  if (!free_.empty()) {
    const uint32_t uid = free_.back();
    free_.pop_back();
    return uid;
  }
  // One that was never taken here and has processes is not ours to kill: it is left out.
  while (next_ <= to_ && next_ != 0) {
    const uint32_t uid = next_++;
    if (!HasProcesses(uid)) return uid;
  }
  return std::nullopt;
}

void UidRange::Release(uint32_t uid) { (KillAllOf(uid) ? free_ : busy_).push_back(uid); }

bool UidRange::KillAllOf(uint32_t uid) {
  if (!HasProcesses(uid)) return true;
  RunThrowaway(KillTheRest, &uid);
  return !HasProcesses(uid);
}

int BecomeUser(uint32_t uid) {
  if (uid == 0) return EINVAL;
  if (const long result = RawSyscall(SYS_setgroups, 0, 0)) return static_cast<int>(-result);
  if (const long result = RawSyscall(SYS_setresgid, uid, uid, uid)) return static_cast<int>(-result);
  if (const long result = RawSyscall(SYS_setresuid, uid, uid, uid)) return static_cast<int>(-result);
  if (const int errnum = DropCapabilities()) return errnum;
  // Looked at afterwards: a filter around us may only say that it obeys.
  const bool isAnother =
      RawSyscall(SYS_geteuid) == uid && RawSyscall(SYS_getegid) == uid && HasNoCapabilities();
  return isAnother && RawSyscall(SYS_setresuid, -1, 0, -1) == -EPERM ? 0 : EPERM;
}

}  // namespace truefork
