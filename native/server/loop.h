// The forking server: the lecture's accept, fork, close, with all that a server meets on a bad day.
#pragma once

#include <uv.h>

#include <functional>
#include <optional>
#include <string>

#include "fork/fork.h"
#include "fork/signals.h"
#include "protocol/channel.h"
#include "server/admission/admission.h"
#include "server/admission/refusals.h"
#include "server/children.h"
#include "server/connection.h"
#include "server/limits/connection_timeouts.h"
#include "server/limits/rlimits.h"
#include "server/listeners.h"
#include "server/program.h"
#include "server/spares.h"

namespace truefork {

class ServeLoop {
 public:
  struct Options {
    int channel;              // the stream socket to the owner
    uint32_t maxChildren;     // at the cap clients wait in the backlog
    uint64_t firstId;         // the id of the first connection
    uint32_t settings;        // how many commands say how to serve: they are obeyed before the first client
    Program* program;         // what serves in the place of a forked copy of this process, or null
    Pool::Options pool = {};  // children forked ahead; with a program there are none
    bool standby = false;     // lets nobody in before the owner says Begin
    std::function<void()> onceListening = [] {};  // called when that was told, before the first fork
  };

  ServeLoop(uv_loop_t* loop, Listeners& listeners, const Options& options);

  // False where the memory shared with children could not be had; errno tells why.
  bool ok() const { return supervisor_.ok(); }

  // Returns as fork() does, more than once: in every child, with the connection that it is to serve, and in
  // the parent, with nothing, when the server has ended.
  std::optional<Connection> Run();

  // How to serve is said before the first client comes in, and may be said anew while the server runs. Run()
  // does this first, if nobody has.
  void AwaitSettings();

 private:
  enum class Phase {
    Serving,
    Draining,     // told to stop: the clients that queue already are still let in
    Closing,      // no listener any more; children may finish
    Terminating,  // they have had SIGTERM
    Killing,      // they have had SIGKILL
  };

  bool HasEnded() const;
  void Wait();
  int MillisecondsToSleep() const;
  bool IsOpen() const;
  bool MayAccept() const;
  size_t Occupied() const;
  bool MayForkAhead() const;
  std::optional<Connection> NextConnection();
  std::optional<Connection> Accept();
  bool GiveToWaiting(const Connection& connection);
  pid_t ForkFor(const Connection& connection);
  pid_t ForkAhead();
  pid_t ForkChild(int fd, uint32_t* slot, int* line);
  pid_t StartProgram(const Connection& connection);
  pid_t Postpone(const Connection& connection);
  void TellOf(const Connection& connection, pid_t pid, uint32_t slot);
  size_t Serving() const { return children_.size() - pool_.idle(); }
  void HearWhoIsDone();
  void KeepNothingOfTheParent();
  void ObeyCommands();
  void Retire();
  void TellChildrenToFinish();
  void Obey(const Channel::Message& message);
  void SetRefusal(const Channel::Message& message);
  void Stop(const protocol::StopCommand& command);
  void KillAll();
  void StopListening();
  void ReapChildren();
  void TellOfEnd(pid_t pid, const Child& child, int status, const rusage& usage);
  protocol::Limit LimitThatEnded(const Supervisor::Outcome& outcome, int status, uint64_t cpuUs) const;
  void EnforceDeadline();
  void PauseAfter(const char* syscall, int errnum);

  uv_loop_t* loop_;
  Inherited inherited_;
  Listeners& listeners_;
  Options options_;
  Channel channel_;
  OwnersSignalsIgnored ownersSignalsIgnored_;
  HandlersSuspended handlersSuspended_;
  ChildSignal childSignal_;
  Children children_;
  Supervisor supervisor_;
  Admission admission_;
  Refusals refusals_;
  Resources resources_;
  Pool pool_;

  Phase phase_ = Phase::Serving;
  bool ownerIsGone_ = false;
  bool listenerIsReady_ = false;
  arena::Vector<pid_t> ended_;  // children of whom a signal came
  int64_t sweepAt_ = 0;         // when to look for those of whom none came; 0: nobody ended
  uint64_t nextId_;
  uint32_t elsewhere_ = 0;  // children of zygotes that have retired
  bool queueIsEmpty_ = false;
  int drainLeft_ = 0;     // how many queued clients a stopping server still lets in
  int64_t flushAt_ = 0;   // when records that wait for company are sent; 0: none do
  int64_t deadline_ = 0;  // when the phase is over; 0: never
  uint32_t killMs_ = 0;
  std::optional<Connection> unserved_;  // accepted, but no process could be forked for it yet
  int64_t pausedUntil_ = 0;             // no accept, no fork before
  int pauseMs_ = 0;                     // how long the last pause was; 0: all is well
};

}  // namespace truefork
