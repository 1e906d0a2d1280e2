#include "server/limits/connection_timeouts.h"

#include <signal.h>

#include <algorithm>

#include "support/clock.h"

namespace truefork {

using protocol::Limit;

namespace {

// The earlier of two deadlines, of which 0 is none.
int64_t Earlier(int64_t one, int64_t other) {
  if (one == 0 || other == 0) return one + other;
  return std::min(one, other);
}

}  // namespace

void Supervisor::SetTimes(const Times& times) {
  times_ = times;
  for (uint32_t slot = 0; slot < watched_.size(); slot++) {
    if (watched_[slot].pid != 0 && watched_[slot].limit == Limit::None) Arm(slot);
  }
}

uint32_t Supervisor::TakeSlot() {
  const uint32_t slot = slots_.Take();
  if (slot >= watched_.size()) watched_.resize(slot + 1);
  return slot;
}

void Supervisor::Watch(uint32_t slot, pid_t pid, int fd, const Address& peer) {
  Watched& child = watched_[slot];
  child.pid = pid;
  child.since = child.countedFrom = NowMicros();
  if (times_.firstByte > 0 || times_.idle > 0) child.traffic = TcpTraffic::Of(fd, peer);
  Arm(slot);
}

Supervisor::Outcome Supervisor::Leave(uint32_t slot) {
  const Outcome outcome = Unwatch(slot);
  slots_.Free(slot);
  return outcome;
}

Supervisor::Outcome Supervisor::Unwatch(uint32_t slot) {
  deadlines_.Remove(slot);
  const Watched child = watched_[slot];
  const Slot& said = slots_[slot];
  const Outcome outcome{std::max<uint64_t>(said.bytesIn, child.bytesIn),
                        std::max<uint64_t>(said.bytesOut, child.bytesOut), child.limit, said.isOutOfMemory,
                        said.execErrnum};
  watched_[slot] = {};
  slots_.Clear(slot);
  return outcome;
}

void Supervisor::EnforceLimits(int64_t now) {
  while (const auto slot = deadlines_.TakeDue(now)) Look(*slot, now);
}

void Supervisor::Blame(Limit limit) {
  for (Watched& child : watched_) {
    if (child.pid != 0 && child.limit == Limit::None) child.limit = limit;
  }
}

// A deadline is not moved whenever a byte moves, which only the child sees: when it comes, the slot tells
// whether it has come in truth.
void Supervisor::Arm(uint32_t slot) {
  const Watched& child = watched_[slot];
  int64_t next = times_.connection > 0 ? child.since + times_.connection : 0;
  if (times_.firstByte > 0 && BytesIn(slot) == 0) next = Earlier(next, child.countedFrom + times_.firstByte);
  if (times_.idle > 0) next = Earlier(next, LastActivity(slot) + times_.idle);
  if (next > 0) {
    deadlines_.Set(slot, next);
  } else {
    deadlines_.Remove(slot);
  }
}

void Supervisor::Look(uint32_t slot, int64_t now) {
  if (watched_[slot].limit != Limit::None) {
    kill(watched_[slot].pid, SIGKILL);  // it has had SIGTERM, and its time to obey
    return;
  }
  Limit limit = Overdue(slot, now);
  if (limit == Limit::FirstByte || limit == Limit::Idle) {
    AskKernel(slot, now);
    limit = Overdue(slot, now);
  }
  if (limit == Limit::None) return Arm(slot);
  End(slot, limit, now);
}

Limit Supervisor::Overdue(uint32_t slot, int64_t now) const {
  const Watched& child = watched_[slot];
  if (times_.connection > 0 && now >= child.since + times_.connection) return Limit::Connection;
  if (times_.firstByte > 0 && BytesIn(slot) == 0 && now >= child.countedFrom + times_.firstByte)
    return Limit::FirstByte;
  if (times_.idle > 0 && now >= LastActivity(slot) + times_.idle) return Limit::Idle;
  return Limit::None;
}

// Before a connection is ended for its silence, the kernel is asked whether it is silent: the child may hang
// before it has read what came, an executed program writes to no slot, and what was written long ago may
// still be on its way to a slow reader.
void Supervisor::AskKernel(uint32_t slot, int64_t now) {
  Watched& child = watched_[slot];
  const bool childSays = slots_[slot].lastActivity > 0;
  const auto answer = child.traffic ? child.traffic->Ask() : std::nullopt;
  if (!answer) {
    if (!childSays) child.countedFrom = now;  // nobody knows: silence is not assumed
    return;
  }
  child.lastSeen = std::max(child.lastSeen, now - answer->sinceInUs);
  if (!childSays) child.lastSeen = std::max(child.lastSeen, now - answer->sinceOutUs);
  if (answer->isSending && answer->bytesOut != child.bytesOut) child.lastSeen = now;
  child.bytesIn = answer->bytesIn;
  child.bytesOut = answer->bytesOut;
}

uint64_t Supervisor::BytesIn(uint32_t slot) const {
  return std::max<uint64_t>(slots_[slot].bytesIn, watched_[slot].bytesIn);
}

int64_t Supervisor::LastActivity(uint32_t slot) const {
  const Watched& child = watched_[slot];
  return std::max({child.countedFrom, child.lastSeen, slots_[slot].lastActivity.load()});
}

void Supervisor::End(uint32_t slot, Limit limit, int64_t now) {
  AskKernel(slot, now);  // for what moved since the child last said so
  watched_[slot].limit = limit;
  if (times_.kill > 0) {
    kill(watched_[slot].pid, SIGTERM);
    deadlines_.Set(slot, now + times_.kill);
  } else {
    kill(watched_[slot].pid, SIGKILL);
  }
}

}  // namespace truefork
