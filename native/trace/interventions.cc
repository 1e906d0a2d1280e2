// Calls that the tracer changes: faults that are injected, and what no traced program may do.
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace/memory.h"
#include "trace/sockets.h"
#include "trace/tracer.h"

namespace truefork::trace {

bool Tracer::Intervene(Thread& thread) {
  const std::optional<Reason> reason = Forbidden(thread);
  if (reason) {
    records_.Add(Kind::Intervened, SubjectOf(thread), {static_cast<int>(*reason)}, {""});
    SkipCall(thread.tid);
    SetResult(thread.tid, *reason == Reason::ProcessLimit ? -EAGAIN : -EPERM);
    return true;
  }
  const Injection* const injection =
      thread.isThreadClone ? nullptr : injections_.Hit(thread.call, thread.process->pid, [&] {
        return SocketInode(thread.process->pid, static_cast<int>(thread.arguments[0])) != 0;
      });
  if (injection == nullptr) return false;
  records_.Add(Kind::Intervened, SubjectOf(thread), {static_cast<int>(Reason::Injected)}, {injection->name});
  Inject(thread, *injection);
  return true;
}

std::optional<Reason> Tracer::Forbidden(const Thread& thread) const {
  const Call& call = Calls()[thread.call];
  if (call.family == Family::Fork && !thread.isThreadClone && tracees_.processes() >= options_.maxProcesses) {
    return Reason::ProcessLimit;
  }
  if (call.family != Family::Kill || !options_.confineSignals) return std::nullopt;
  const pid_t target = static_cast<pid_t>(thread.arguments[0]);
  const int signal = static_cast<int>(thread.arguments[call.number == SYS_tgkill ? 2 : 1]);
  if (signal == 0) return std::nullopt;
  if (target == -1 && call.number == SYS_kill) return Reason::Everybody;
  const bool isAllowed =
      target > 0 ? tracees_.Knows(target) : IsOwnGroup(target == 0 ? getpgid(thread.tid) : -target);
  // Where there is nobody, the kernel says so itself.
  const bool exists = kill(target == 0 ? -getpgid(thread.tid) : target, 0) == 0 || errno == EPERM;
  return isAllowed || !exists ? std::nullopt : std::optional(Reason::Stranger);
}

// A process group of the program alone: the tracer is not in it, and some traced process is.
bool Tracer::IsOwnGroup(pid_t group) const {
  if (group == getpgid(0)) return false;
  if (tracees_.Knows(group)) return true;
  for (const pid_t pid : tracees_.ProcessIds()) {
    if (getpgid(pid) == group) return true;
  }
  return false;
}

void Tracer::Inject(Thread& thread, const Injection& injection) {
  if (injection.errnum != 0) {
    SkipCall(thread.tid);
    SetResult(thread.tid, -injection.errnum);
  } else {
    Shorten(thread, injection.length);
  }
}

void Tracer::Shorten(Thread& thread, uint64_t most) {
  const long number = Calls()[thread.call].number;
  const uint64_t* const a = thread.arguments;
  if (number == SYS_readv || number == SYS_writev) {
    ShortenVector(thread, a[1], a[2], 0, most);
    return;
  }
  if (number == SYS_sendmsg || number == SYS_recvmsg) {
    constexpr uint64_t kVector = 16;  // struct msghdr: msg_iov, msg_iovlen
    uint64_t vector[2];
    if (ReadValue(thread.tid, a[1] + kVector, &vector)) {
      ShortenVector(thread, vector[0], vector[1], a[1] + kVector + sizeof(uint64_t), most);
    }
    return;
  }
  const int length = number == SYS_sendfile ? 3 : 2;
  if (a[length] <= most) return;
  SetArgument(thread.tid, length, most);
  thread.changedArgument = length;
}

// Leaves the parts before the limit as they are, cuts the one that goes beyond it, and drops those behind.
// The count stands in memory, or, with countAddress 0, in the third argument.
void Tracer::ShortenVector(Thread& thread, uint64_t vector, uint64_t count, uint64_t countAddress,
                           uint64_t most) {
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t lengthAddress = vector + i * 2 * sizeof(uint64_t) + sizeof(uint64_t);
    uint64_t length;
    if (!ReadValue(thread.tid, lengthAddress, &length)) return;
    if (total + length <= most) {
      total += length;
      continue;
    }
    const uint64_t cut = most - total;
    if (!WriteMemory(thread.tid, lengthAddress, &cut, sizeof cut)) return;
    thread.patches.push_back({lengthAddress, length});
    const uint64_t kept = i + 1;
    if (countAddress == 0) {
      SetArgument(thread.tid, 2, kept);
      thread.changedArgument = 2;
    } else if (WriteMemory(thread.tid, countAddress, &kept, sizeof kept)) {
      thread.patches.push_back({countAddress, count});
    }
    return;
  }
}

// The program must find its own numbers again: in its registers, for a call can be begun anew, and in its
// memory.
void Tracer::UndoChanges(Thread& thread) {
  if (thread.changedArgument >= 0) {
    SetArgument(thread.tid, thread.changedArgument, thread.arguments[thread.changedArgument]);
    thread.changedArgument = -1;
  }
  for (const Patch& patch : thread.patches)
    WriteMemory(thread.tid, patch.address, &patch.before, sizeof patch.before);
  thread.patches.clear();
}

}  // namespace truefork::trace
