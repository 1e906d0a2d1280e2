#include "server/limits/connection_timeouts.h"

#include <signal.h>

#include <algorithm>

#include "isolation/process_group.h"
#include "support/assert.h"

namespace truefork {

using protocol::Limit;

namespace {

std::optional<Duration> MillisecondsOrNone(uint32_t milliseconds) {
  if (milliseconds == 0) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace

void ConnectionTimeouts::SetTimes(const protocol::TimesCommand& command) {
  SetTimes({MillisecondsOrNone(command.firstByteMs), MillisecondsOrNone(command.idleMs),
            MillisecondsOrNone(command.connectionMs), std::chrono::milliseconds(command.killMs)});
}

void ConnectionTimeouts::SetTimes(const Times& times) {
  times_ = times;
  const Time now = Now();
  for (uint32_t slot = 0; slot < watched_.size(); slot++) {
    if (watched_[slot].pid != 0 && watched_[slot].limit == Limit::None) Arm(slot, now);
  }
}

void ConnectionTimeouts::Watch(uint32_t slot, pid_t pid, int fd, const Address& peer) {
  if (slot >= watched_.size()) watched_.resize(slot + 1);
  Watched& child = watched_[slot];
  TRUEFORK_ASSERT(child.pid == 0);
  child.pid = pid;
  child.since = child.countedFrom = Now();
  if (times_.firstByte || times_.idle) child.traffic = TcpTraffic::Of(fd, peer);
  Arm(slot, child.since);
}

ConnectionTimeouts::Outcome ConnectionTimeouts::Unwatch(uint32_t slot) {
  TRUEFORK_ASSERT(slot < watched_.size());
  deadlines_.Remove(slot);
  const Watched child = watched_[slot];
  const Slot& counted = slots_[slot];
  const Outcome outcome{std::max<uint64_t>(counted.bytesIn, child.bytesIn),
                        std::max<uint64_t>(counted.bytesOut, child.bytesOut),
                        child.limit,
                        counted.outOfMemory != 0,
                        counted.execErrnum,
                        counted.replacedFor};
  watched_[slot] = {};
  slots_.Clear(slot);
  return outcome;
}

void ConnectionTimeouts::Enforce(Time now) {
  while (const auto slot = deadlines_.TakeDue(now)) Check(*slot, now);
}

void ConnectionTimeouts::Blame(Limit limit) {
  for (Watched& child : watched_) {
    if (child.pid != 0 && child.limit == Limit::None) child.limit = limit;
  }
}

// Deadlines are lazy: a byte that moves, which only the child sees, moves no deadline. When one fires, the
// slot is read again, and if bytes have moved since, the deadline is set anew.
void ConnectionTimeouts::Arm(uint32_t slot, Time now) {
  const Watched& child = watched_[slot];
  Deadline next;
  if (times_.connection) next = child.since + *times_.connection;
  if (times_.firstByte && BytesIn(slot) == 0)
    next = std::min<Deadline>(next, child.countedFrom + *times_.firstByte);
  if (times_.idle) next = std::min<Deadline>(next, LastActivity(slot, now) + *times_.idle);
  if (next.IsSet()) {
    deadlines_.Set(slot, next);
  } else {
    deadlines_.Remove(slot);
  }
}

void ConnectionTimeouts::Check(uint32_t slot, Time now) {
  if (watched_[slot].limit != Limit::None) {
    Kill(slot);  // It had SIGTERM, and its time to obey.
    return;
  }
  Limit limit = Overdue(slot, now);
  if (limit == Limit::FirstByte || limit == Limit::Idle) {
    AskKernel(slot, now);
    limit = Overdue(slot, now);
  }
  if (limit == Limit::None) return Arm(slot, now);
  End(slot, limit, now);
}

Limit ConnectionTimeouts::Overdue(uint32_t slot, Time now) const {
  const Watched& child = watched_[slot];
  if (times_.connection && now >= child.since + *times_.connection) return Limit::Connection;
  if (times_.firstByte && BytesIn(slot) == 0 && now >= child.countedFrom + *times_.firstByte)
    return Limit::FirstByte;
  if (times_.idle && now >= LastActivity(slot, now) + *times_.idle) return Limit::Idle;
  return Limit::None;
}

// A connection is idle when neither the child nor the kernel has moved a byte. What the child counts is not
// enough: a child may hang before it reads what came, an executed program counts nothing, and what a child
// wrote long ago may still be on its way to a slow reader.
void ConnectionTimeouts::AskKernel(uint32_t slot, Time now) {
  Watched& child = watched_[slot];
  const bool childCounts = slots_[slot].lastActivity.load() != Time{};
  const auto answer = child.traffic ? child.traffic->Ask() : std::nullopt;
  if (!answer) {
    if (!childCounts) child.countedFrom = now;  // Neither source knows: idleness is not assumed.
    return;
  }
  child.lastSeen = std::max(child.lastSeen, now - answer->sinceIn);
  if (!childCounts) child.lastSeen = std::max(child.lastSeen, now - answer->sinceOut);
  if (answer->isSending && answer->bytesOut != child.bytesOut) child.lastSeen = now;
  child.bytesIn = answer->bytesIn;
  child.bytesOut = answer->bytesOut;
}

uint64_t ConnectionTimeouts::BytesIn(uint32_t slot) const {
  return std::max<uint64_t>(slots_[slot].bytesIn, watched_[slot].bytesIn);
}

// The slot is the child's to write: a time that has not come yet counts as now.
Time ConnectionTimeouts::LastActivity(uint32_t slot, Time now) const {
  const Watched& child = watched_[slot];
  return std::max({child.countedFrom, child.lastSeen, std::min(slots_[slot].lastActivity.load(), now)});
}

void ConnectionTimeouts::End(uint32_t slot, Limit limit, Time now) {
  AskKernel(slot, now);  // for bytes that have moved since the child last counted
  watched_[slot].limit = limit;
  if (times_.killDelay > Duration::zero()) {
    SignalProcessGroup(watched_[slot].pid, SIGTERM);
    deadlines_.Set(slot, now + times_.killDelay);
  } else {
    Kill(slot);
  }
}

// What the child started ends with it, in whatever group and session that is.
void ConnectionTimeouts::Kill(uint32_t slot) {
  tree_.Kill(watched_[slot].pid);
  SignalProcessGroup(watched_[slot].pid, SIGKILL);
}

}  // namespace truefork
