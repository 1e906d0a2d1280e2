// The forking server.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "fork/signals.h"
#include "protocol/channel.h"
#include "server/acceptor.h"
#include "server/admission/admission.h"
#include "server/admission/refusals.h"
#include "server/child_isolation.h"
#include "server/children.h"
#include "server/exec_spawner.h"
#include "server/limits/connection_timeouts.h"
#include "server/limits/resource_limits.h"
#include "server/limits/slots.h"
#include "server/owner_commands.h"
#include "server/reports.h"
#include "server/shutdown.h"
#include "server/spares.h"
#include "server/spawner.h"

namespace truefork {

class ServeLoop {
 public:
  struct Options {
    int channel;  // the stream socket to the owner
    std::vector<Listeners::Socket> listeners;
    uint32_t settings = 0;                // how many commands of the owner are obeyed before the first client
    std::optional<Program> program = {};  // that children execute. None: they are forks of this process
    Spares::Options spares = {};          // not with a program
    ChildIsolation::Options isolation = {};
    std::function<void()> onListening = {};  // called once, before the first fork
  };

  ServeLoop(uv_loop_t* loop, const Options& options);

  // What of the isolation was required and does not hold here. To be called first, while there are all
  // privileges.
  std::vector<Failure> PrepareIsolation() { return isolation_.Prepare(); }
  // Last, right before Run(): 0, or an errno.
  int EnterIsolation() const { return isolation_.EnterOnce(); }

  // Makes what the loop needs, and listens. False with errno set; `failed` is the system call that did.
  bool Open(const char** failed);

  // Waits until the settings have been obeyed. Run() begins with it.
  void AwaitSettings();

  // Like fork(2), Run() returns more than once: in each child, which serves its connection or waits for one;
  // and in the parent when the server has ended.
  struct Serve {
    Connection client;
  };
  struct AwaitHandoff {};
  struct Over {};
  using Outcome = std::variant<Serve, AwaitHandoff, Over>;
  Outcome Run();

 private:
  // What poll(2) saw.
  struct Ready {
    bool client = false;
    bool owner = false;
    bool child = false;
    bool worker = false;
  };

  Ready Wait();
  Deadline NextDeadline(Deadline flush, Time now) const;
  void EnforceDeadlines(Time now);
  bool IsOver() const { return shutdown_.IsOver() && !channel_.HasUnsent(); }

  bool MayForkAhead(Time now) const;
  pid_t ForkAhead(Time now);
  void OnChildStarted(const Spawned& child);
  void OnServing(const Connection& client, pid_t pid, uint32_t slot, Time now);
  void OnChildEnded(const EndedChild& ended, Time now);
  void CollectWorkers(Time now);
  void ReleaseParentResources();
  [[noreturn]] void EndWithOwner();

  void RegisterCommands();  // in loop_commands.cc, as Obey() and AwaitSettings() are
  void Obey();

  Options options_;
  Channel channel_;
  OwnersSignalsIgnored ownersSignalsIgnored_;
  HandlersSuspended handlersSuspended_;
  Children children_;  // after the handlers: SIGCHLD has one while the others are suspended

  Reports reports_;
  ChildIsolation isolation_;
  Slots slots_;
  ConnectionTimeouts timeouts_;
  ResourceLimits limits_;
  Admission admission_;
  Refusals refusals_;
  Acceptor acceptor_;
  Spares spares_;
  std::unique_ptr<Spawner> spawner_;
  Shutdown shutdown_;
  OwnerCommands commands_;
};

}  // namespace truefork
