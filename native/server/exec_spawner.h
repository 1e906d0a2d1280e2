// Children that become any program, as inetd and tcpserver have it: the connection is the program's standard
// input and output, and its environment says who the client is (UCSPI: cr.yp.to/proto/ucspi.txt, and
// ucspi-unix for Unix sockets).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "server/child_isolation.h"
#include "server/limits/resource_limits.h"
#include "server/limits/slots.h"
#include "server/spawner.h"

namespace truefork {

struct Program {
  std::string path;
  std::vector<std::string> arguments;  // from argv[0] on
  char** environment;                  // to which the variables of UCSPI are added
};

struct Launch;

// Neither page tables nor memory are copied, however big the zygote is: until execve(2) the child runs in the
// zygote's own memory (CLONE_VM), on a stack of its own, and the zygote does not wait for it. See
// BecomeProgram() for what that demands.
class ExecSpawner : public Spawner {
 public:
  // Marks all descriptors of this process but the standard ones close-on-exec.
  ExecSpawner(const Program& program, Slots& slots, const ResourceLimits& limits, ChildIsolation& isolation);
  ~ExecSpawner() override;
  ExecSpawner(const ExecSpawner&) = delete;
  ExecSpawner& operator=(const ExecSpawner&) = delete;

  // A child that cannot execute the program leaves the errno in its slot, and exits as a shell does: with 127
  // where there is no such file, else with 126.
  Spawned Spawn(const Connection& client) override;
  [[noreturn]] Spawned SpawnSpare() override;
  void Forget(pid_t pid) override;

 private:
  pid_t Start(const Connection& client, Slot* slot, uint32_t uid);
  Launch* FreeLaunch();
  void FindSignalsToReset();
  void Describe(const Connection& client, Launch* launch) const;

  Slots& slots_;
  const ResourceLimits& limits_;
  ChildIsolation& isolation_;
  std::string path_;
  std::vector<std::string> arguments_;
  std::vector<char*> argv_;
  std::vector<char*> environment_;   // without what Describe() adds
  std::vector<int> signalsToReset_;  // ends with 0
  std::unique_ptr<Launch[]> launches_;
};

}  // namespace truefork
