// Children that are forks of the zygote: they return to JavaScript with its warm memory.
#pragma once

#include <uv.h>

#include <functional>

#include "fork/fork.h"
#include "server/child_isolation.h"
#include "server/limits/resource_limits.h"
#include "server/limits/slots.h"
#include "server/spares.h"
#include "server/spawner.h"

namespace truefork {

class ForkSpawner : public Spawner {
 public:
  // releaseParentResources runs in each child, before any signal can reach it.
  ForkSpawner(uv_loop_t* loop, Slots& slots, const ResourceLimits& limits, ChildIsolation& isolation,
              const Spares& spares, std::function<void()> releaseParentResources);

  Spawned Spawn(const Connection& client) override {
    return spares_.RollsBack() ? SpawnWorker(client) : ForkChild(client.fd);
  }
  Spawned SpawnSpare() override { return ForkChild(-1); }

 private:
  Spawned ForkChild(int connection);
  Spawned SpawnWorker(const Connection& client);

  uv_loop_t* loop_;
  Inherited inherited_;
  Slots& slots_;
  const ResourceLimits& limits_;
  ChildIsolation& isolation_;
  const Spares& spares_;
  std::function<void()> releaseParentResources_;
};

}  // namespace truefork
