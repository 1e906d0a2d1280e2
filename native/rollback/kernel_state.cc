#include "rollback/kernel_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "support/raw_syscall.h"

namespace truefork::rollback {

namespace {

constexpr size_t kSignals = 64;

// prctl(2) options that read a setting and, where it can be put back, the one that sets it.
struct Setting {
  int get;
  int set;  // 0: cannot be put back
  Reason reason;
};

constexpr Setting kSettings[] = {
    {PR_GET_DUMPABLE, PR_SET_DUMPABLE, Reason::Ids},
    {PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, Reason::Ids},
    {PR_GET_SECUREBITS, 0, Reason::Ids},
    {PR_GET_NO_NEW_PRIVS, 0, Reason::Security},
    {PR_GET_SECCOMP, 0, Reason::Security},
    {PR_GET_TIMERSLACK, PR_SET_TIMERSLACK, Reason::Limits},
    {PR_GET_THP_DISABLE, PR_SET_THP_DISABLE, Reason::Mappings},
    {65 /* PR_GET_MDWE */, 0, Reason::Mappings},
    {68 /* PR_GET_MEMORY_MERGE */, 0, Reason::Mappings},
    {PR_MCE_KILL_GET, 0, Reason::Signals},
};
constexpr size_t kSettingCount = sizeof kSettings / sizeof kSettings[0];

long GetSetting(const Setting& setting) { return RawSyscall(SYS_prctl, setting.get); }

template <typename T>
bool IsSame(const T& a, const T& b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

int OpenIn(int folder, const char* name) {
  return static_cast<int>(RawSyscall(SYS_openat, folder, RawPointer(name), O_RDONLY | O_CLOEXEC));
}

}  // namespace

bool KernelState::Prepare(int procFolder, int epollFd, const int* drained, size_t drainedCount) {
  if (drainedCount > kMostDrained) return false;
  std::copy_n(drained, drainedCount, drained_);
  drainedCount_ = drainedCount;
  // After a change of user these files are root's, but for a process that may be dumped.
  const int dumpable = prctl(PR_GET_DUMPABLE);
  prctl(PR_SET_DUMPABLE, 1);
  files_.maps = OpenIn(procFolder, "self/maps");
  files_.pagemap = OpenIn(procFolder, "self/pagemap");
  files_.statm = OpenIn(procFolder, "self/statm");
  files_.oomScoreAdj = OpenIn(procFolder, "self/oom_score_adj");
  char epoll[48] = "self/fdinfo/";
  char digits[12];
  size_t count = 0;
  for (int rest = epollFd; count == 0 || rest > 0; rest /= 10) digits[count++] = '0' + rest % 10;
  char* at = epoll + strlen(epoll);
  while (count > 0) *at++ = digits[--count];
  *at = '\0';
  files_.epoll = OpenIn(procFolder, epoll);
  prctl(PR_SET_DUMPABLE, dumpable);
  close(procFolder);  // it leads out of a chroot
  if (files_.maps < 0 || files_.pagemap < 0 || files_.statm < 0 || files_.epoll < 0) return false;
  folder_ = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return false;
  return FindDescriptors() && CopyDescriptors();
}

// Without /proc/self/fd, which would be one more descriptor, and may be out of reach.
bool KernelState::FindDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  const int most = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 4096));
  for (int fd = 0; fd < most; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    if (!descriptors_.Add({fd, -1, fcntl(fd, F_GETFL), flags & FD_CLOEXEC ? O_CLOEXEC : 0})) return false;
  }
  return !descriptors_.empty();
}

// The copies lie as high as the limit lets them, out of the way of what a handler opens.
bool KernelState::CopyDescriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const int count = static_cast<int>(descriptors_.size());
  const int base = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1024)) - count;
  if (base <= descriptors_.back().fd) return false;
  int next = base;
  for (Descriptor& descriptor : descriptors_) {
    descriptor.copy = fcntl(descriptor.fd, F_DUPFD_CLOEXEC, next);
    if (descriptor.copy != next++) return false;
  }
  unsigned free = 0;
  for (const Descriptor& descriptor : descriptors_) {
    const unsigned fd = descriptor.fd;
    if (fd > free) gaps_.Add({free, fd - 1});
    free = fd + 1;
  }
  gaps_.Add({free, static_cast<unsigned>(base) - 1});
  gaps_.Add({static_cast<unsigned>(next), ~0u});
  return RawSyscall(SYS_close_range, ~0u, ~0u, 0) == 0;  // Linux 5.9
}

bool KernelState::Capture(uint64_t mask) {
  mask_ = mask;
  for (size_t i = 0; i < kSignals; i++)
    RawSyscall(SYS_rt_sigaction, i + 1, 0, RawPointer(&actions_[i]), sizeof(uint64_t));
  RawSyscall(SYS_sigaltstack, 0, RawPointer(alternateStack_));
  for (int i = 0; i < RLIM_NLIMITS; i++) RawSyscall(SYS_prlimit64, 0, i, 0, RawPointer(&limits_[i]));
  memset(&scheduling_, 0, sizeof scheduling_);
  RawSyscall(SYS_sched_getattr, 0, RawPointer(&scheduling_), sizeof scheduling_, 0);
  affinitySize_ = RawSyscall(SYS_sched_getaffinity, 0, sizeof affinity_, RawPointer(affinity_));
  ioPriority_ = RawSyscall(SYS_ioprio_get, 1, 0);
  RawSyscall(SYS_getresuid, RawPointer(&ids_[0]), RawPointer(&ids_[1]), RawPointer(&ids_[2]));
  RawSyscall(SYS_getresgid, RawPointer(&ids_[3]), RawPointer(&ids_[4]), RawPointer(&ids_[5]));
  groupCount_ = RawSyscall(SYS_getgroups, 64, RawPointer(groups_));
  uint32_t header[2] = {0x20080522, 0};
  RawSyscall(SYS_capget, RawPointer(header), RawPointer(capabilities_));
  session_ = RawSyscall(SYS_getsid, 0);
  group_ = RawSyscall(SYS_getpgid, 0);
  umask_ = RawSyscall(SYS_umask, 077);
  RawSyscall(SYS_umask, umask_);
  personality_ = RawSyscall(SYS_personality, 0xffffffff);
  for (size_t i = 0; i < kSettingCount; i++) settings_[i] = GetSetting(kSettings[i]);
  RawSyscall(SYS_prctl, PR_GET_NAME, RawPointer(name_));
  epollSetSize_ = ReadEpollSet(epollSet_, sizeof epollSet_);
  timer_ = ProbeTimer();
  canUnshare_ = RawSyscall(SYS_unshare, CLONE_THREAD) == 0;
  RawSyscall(SYS_getrusage, RUSAGE_CHILDREN, RawPointer(&children_));
  return canUnshare_ && timer_ >= 0 && epollSetSize_ > 0 && epollSetSize_ < sizeof epollSet_ &&
         groupCount_ >= 0 && affinitySize_ > 0 && CheckProcesses() == Reason::None;
}

Reason KernelState::RestoreDescriptors() {
  for (const Gap& gap : gaps_) RawSyscall(SYS_close_range, gap.first, gap.last, 0);
  // Also a descriptor that is as it was is closed and put back: that gives up what fcntl(2) locks there are.
  for (const Descriptor& descriptor : descriptors_) {
    const auto putBack = [&] {
      return RawSyscall(SYS_dup3, descriptor.copy, descriptor.fd, descriptor.closeOnExec) >= 0;
    };
    // The limit may have been lowered below this descriptor.
    if (!putBack() && (RestoreResourceLimits() != Reason::None || !putBack())) return Reason::Descriptors;
  }
  for (const Descriptor& descriptor : descriptors_) {
    const long flags = RawSyscall(SYS_fcntl, descriptor.fd, F_GETFL);
    if (flags != descriptor.flags) RawSyscall(SYS_fcntl, descriptor.fd, F_SETFL, descriptor.flags);
  }
  for (size_t i = 0; i < drainedCount_; i++) {
    char drop[512];
    while (RawSyscall(SYS_read, drained_[i], RawPointer(drop), sizeof drop) > 0) continue;
  }
  char now[sizeof epollSet_];
  if (ReadEpollSet(now, sizeof now) != epollSetSize_ || memcmp(now, epollSet_, epollSetSize_) != 0)
    return Reason::Descriptors;
  return Reason::None;
}

Reason KernelState::RestoreRest() {
  for (const auto step :
       {&KernelState::CheckProcesses, &KernelState::CheckIdentity, &KernelState::RestoreSettings,
        &KernelState::RestoreLimits, &KernelState::RestoreSignals}) {
    const Reason reason = (this->*step)();
    if (reason != Reason::None) return reason;
  }
  return Reason::None;
}

// unshare(2) refuses CLONE_THREAD, of which there is nothing else to unshare, to a process of several
// threads, and to one whose memory another process shares.
Reason KernelState::CheckProcesses() {
  if (RawSyscall(SYS_unshare, CLONE_THREAD) != 0) return Reason::Threads;
  siginfo_t info;
  if (RawSyscall(SYS_waitid, P_ALL, 0, RawPointer(&info), WNOHANG | WEXITED | WSTOPPED | WNOWAIT | __WALL) !=
      -ECHILD)
    return Reason::Children;
  // And one that has been waited for: it may have left others behind.
  rusage children{};
  RawSyscall(SYS_getrusage, RUSAGE_CHILDREN, RawPointer(&children));
  return IsSame(children, children_) ? Reason::None : Reason::Children;
}

Reason KernelState::CheckIdentity() {
  uint32_t ids[6] = {};
  uint32_t groups[64] = {};
  uint32_t header[2] = {0x20080522, 0};
  uint32_t capabilities[6] = {};
  RawSyscall(SYS_getresuid, RawPointer(&ids[0]), RawPointer(&ids[1]), RawPointer(&ids[2]));
  RawSyscall(SYS_getresgid, RawPointer(&ids[3]), RawPointer(&ids[4]), RawPointer(&ids[5]));
  RawSyscall(SYS_capget, RawPointer(header), RawPointer(capabilities));
  const long count = RawSyscall(SYS_getgroups, 64, RawPointer(groups));
  if (!IsSame(ids, ids_) || !IsSame(capabilities, capabilities_) || count != groupCount_ ||
      memcmp(groups, groups_, count * sizeof groups[0]) != 0)
    return Reason::Ids;
  if (RawSyscall(SYS_getsid, 0) != session_ || RawSyscall(SYS_getpgid, 0) != group_) return Reason::Session;
  return Reason::None;
}

Reason KernelState::RestoreSettings() {
  for (size_t i = 0; i < kSettingCount; i++) {
    const Setting& setting = kSettings[i];
    if (GetSetting(setting) == settings_[i]) continue;
    if (setting.set == 0 || RawSyscall(SYS_prctl, setting.set, settings_[i]) != 0) return setting.reason;
  }
  RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  RawSyscall(SYS_prctl, PR_SET_NAME, RawPointer(name_));
  RawSyscall(SYS_umask, umask_);
  if (RawSyscall(SYS_personality, 0xffffffff) != personality_) RawSyscall(SYS_personality, personality_);
  return RawSyscall(SYS_fchdir, folder_) == 0 ? Reason::None : Reason::Descriptors;
}

Reason KernelState::RestoreResourceLimits() {
  for (int i = 0; i < RLIM_NLIMITS; i++) {
    RLimit now{};
    RawSyscall(SYS_prlimit64, 0, i, 0, RawPointer(&now));
    if (!IsSame(now, limits_[i]) && RawSyscall(SYS_prlimit64, 0, i, RawPointer(&limits_[i]), 0) != 0)
      return Reason::Limits;
  }
  return Reason::None;
}

Reason KernelState::RestoreLimits() {
  if (RestoreResourceLimits() != Reason::None) return Reason::Limits;
  SchedulingAttributes scheduling{};
  RawSyscall(SYS_sched_getattr, 0, RawPointer(&scheduling), sizeof scheduling, 0);
  if (!IsSame(scheduling, scheduling_) && RawSyscall(SYS_sched_setattr, 0, RawPointer(&scheduling_), 0) != 0)
    return Reason::Limits;
  uint64_t affinity[128] = {};
  const long size = RawSyscall(SYS_sched_getaffinity, 0, sizeof affinity, RawPointer(affinity));
  if (size != affinitySize_) return Reason::Limits;
  if (memcmp(affinity, affinity_, size) != 0 &&
      RawSyscall(SYS_sched_setaffinity, 0, size, RawPointer(affinity_)) != 0)
    return Reason::Limits;
  if (RawSyscall(SYS_ioprio_get, 1, 0) != ioPriority_ && RawSyscall(SYS_ioprio_set, 1, 0, ioPriority_) != 0)
    return Reason::Limits;
  return Reason::None;
}

Reason KernelState::RestoreSignals() {
  const itimerval never{};
  for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF})
    RawSyscall(SYS_setitimer, which, RawPointer(&never), 0);
  // Ids of timers count up: one that was made in between, deleted or not, shows.
  const int timer = ProbeTimer();
  if (timer != timer_ + 1) return Reason::Timers;
  timer_ = timer;
  // Signals that only say something are dropped, as they would be by a process that ends. One that was to end
  // this process, or was raised by it, is not.
  constexpr uint64_t kDropped = 1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1) | 1ull << (SIGCONT - 1);
  uint64_t pending = 0;
  RawSyscall(SYS_rt_sigpending, RawPointer(&pending), sizeof pending);
  if (pending != 0) {
    const timespec now{};
    while (RawSyscall(SYS_rt_sigtimedwait, RawPointer(&kDropped), 0, RawPointer(&now), sizeof kDropped) > 0)
      continue;
    if ((pending & ~kDropped) != 0) return Reason::Signals;
  }
  for (size_t i = 0; i < kSignals; i++) {
    SignalAction now{};
    RawSyscall(SYS_rt_sigaction, i + 1, 0, RawPointer(&now), sizeof(uint64_t));
    if (!IsSame(now, actions_[i]) &&
        RawSyscall(SYS_rt_sigaction, i + 1, RawPointer(&actions_[i]), 0, sizeof(uint64_t)) != 0)
      return Reason::Signals;
  }
  long stack[3] = {};
  RawSyscall(SYS_sigaltstack, 0, RawPointer(stack));
  if (!IsSame(stack, alternateStack_) && RawSyscall(SYS_sigaltstack, RawPointer(alternateStack_), 0) != 0)
    return Reason::Signals;
  return Reason::None;
}

void KernelState::RestoreSignalMask() const {
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, RawPointer(&mask_), 0, sizeof mask_);
}

int KernelState::ProbeTimer() const {
  sigevent event{};
  event.sigev_notify = SIGEV_NONE;
  int id = -1;
  if (RawSyscall(SYS_timer_create, CLOCK_MONOTONIC, RawPointer(&event), RawPointer(&id)) != 0) return -1;
  RawSyscall(SYS_timer_delete, id);
  return id;
}

size_t KernelState::ReadEpollSet(char* into, size_t room) const {
  const long size = RawSyscall(SYS_pread64, files_.epoll, RawPointer(into), room, 0);
  return size < 0 ? 0 : size;
}

}  // namespace truefork::rollback
