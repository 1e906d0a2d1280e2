#include "server/fork_spawner.h"

#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include <utility>

#include "child/traffic.h"
#include "child/worker.h"
#include "isolation/parent_death.h"
#include "protocol/handoff.h"

namespace truefork {

ForkSpawner::ForkSpawner(uv_loop_t* loop, Slots& slots, const ResourceLimits& limits,
                         ChildIsolation& isolation, const Spares& spares,
                         std::function<void()> releaseParentResources)
    : loop_(loop),
      inherited_(loop),
      slots_(slots),
      limits_(limits),
      isolation_(isolation),
      spares_(spares),
      releaseParentResources_(std::move(releaseParentResources)) {}

// A child gets a channel if it has no connection yet, or is to serve others after it.
Spawned ForkSpawner::ForkChild(int connection) {
  const pid_t zygote = getpid();
  int channel[2] = {-1, -1};  // the zygote's end, the child's end
  if ((connection < 0 || spares_.Reuses()) && !OpenHandoffChannel(channel)) return {-1};
  uint32_t uid = 0;
  if (!slots_.Any() || !isolation_.TakeUser(&uid)) {
    for (const int end : channel) {
      if (end >= 0) close(end);
    }
    errno = EAGAIN;
    return {-1};
  }
  const uint32_t slot = slots_.Take();
  // Limits come first: a child that is confined may not be allowed to set them.
  const auto becomeChild = [&] {
    DieWithParent(zygote);
    limits_.Apply(ResourceLimits::Child::Fork);
    if (!slots_.KeepOnly(slot)) _exit(EX_OSERR);
    if (channel[0] >= 0) close(channel[0]);
    releaseParentResources_();
    worker::Join(&slots_[slot], channel[1]);
    if (connection >= 0) traffic::Begin(&slots_[slot], connection);
    isolation_.Enter(zygote, uid);
  };
  // std::ref, because a copy would be allocated and freed with malloc, here and in the child.
  const pid_t pid = Fork(loop_, inherited_, std::ref(becomeChild));
  if (pid == 0) return {0};
  const int errnum = errno;
  if (channel[1] >= 0) close(channel[1]);
  if (pid < 0) {
    slots_.Free(slot);
    isolation_.ReleaseUser(uid);
    if (channel[0] >= 0) close(channel[0]);
    errno = errnum;
    return {-1};
  }
  isolation_.OnStarted(pid, uid);
  return {pid, slot, channel[0]};
}

// A child that will be rolled back gets its first connection as all others: it is not to begin with it.
Spawned ForkSpawner::SpawnWorker(const Connection& client) {
  const Spawned child = ForkChild(-1);
  if (child.pid == 0) close(client.fd);
  if (child.pid > 0) SendHandoff(child.channel, {client.fd, client.id, client.peer, client.local, false});
  return child;
}

}  // namespace truefork
