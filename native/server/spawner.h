// How a child comes to be. There are two ways: fork(2), where it goes on with the zygote's memory, and
// clone(2) with execve(2), where it becomes another program.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "protocol/connection.h"

namespace truefork {

struct Spawned {
  pid_t pid;          // as fork(2): 0 in the child; -1, with errno set, where there is none
  uint32_t slot = 0;  // in the parent
  int channel = -1;   // in the parent: to a worker. -1: the child serves this connection and exits
};

class Spawner {
 public:
  virtual ~Spawner() = default;

  // A child that serves this connection. The descriptor stays open in the parent.
  virtual Spawned Spawn(const Connection& client) = 0;

  // A child that waits for a connection on its channel.
  virtual Spawned SpawnSpare() = 0;

  // This child has been waited for.
  virtual void Forget(pid_t) {}
};

}  // namespace truefork
