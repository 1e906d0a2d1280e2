// The forking server: the lecture's accept, fork, close, with all that a server meets on a bad day.
#pragma once

#include <uv.h>

#include <functional>
#include <optional>
#include <string>

#include "fork/signals.h"
#include "serve/admission.h"
#include "serve/channel.h"
#include "serve/children.h"
#include "serve/pool.h"
#include "serve/refusals.h"
#include "serve/resources.h"
#include "serve/supervisor.h"
#include "support/address.h"

namespace truefork {

struct Connection {
  int fd;  // -1: none yet, it comes to a child that waits for it (worker.h)
  uint64_t id;
  Address peer;
  std::string host;  // the peer's address in text: made by the parent, which does so with its memory at hand
};

class ServeLoop {
 public:
  struct Options {
    int listener;             // bound, non-blocking; it becomes a listening socket here
    int channel;              // the stream socket to the owner
    int backlog;              // as in listen(2)
    uint32_t maxChildren;     // at the cap clients wait in the backlog
    uint64_t firstId;         // the id of the first connection
    uint32_t settings;        // how many commands say how to serve: they are obeyed before the first client
    Pool::Options pool = {};  // children forked ahead
    std::function<void()> onceListening = [] {};  // called when that was told, before the first fork
  };

  ServeLoop(uv_loop_t* loop, const Options& options);

  // False where the memory shared with children could not be had; errno tells why.
  bool ok() const { return supervisor_.ok(); }

  // Returns as fork() does, more than once: in every child, with the connection that it is to serve, and in
  // the parent, with nothing, when the server has ended.
  std::optional<Connection> Run();

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
  bool MayForkAhead() const;
  std::optional<Connection> NextConnection();
  std::optional<Connection> Accept();
  bool GiveToWaiting(const Connection& connection);
  pid_t ForkFor(const Connection& connection);
  pid_t ForkAhead();
  pid_t ForkChild(int fd, uint32_t* slot, int* line);
  void TellOf(const Connection& connection, pid_t pid, uint32_t slot);
  size_t Serving() const { return children_.size() - pool_.idle(); }
  void HearWhoIsDone();
  void KeepNothingOfTheParent();
  void AwaitSettings();
  void ObeyCommands();
  void Obey(const Channel::Message& message);
  void SetRefusal(const Channel::Message& message);
  void Stop(const protocol::StopCommand& command);
  void KillAll();
  void StopListening();
  void ReapChildren();
  protocol::Limit LimitThatEnded(const Supervisor::Outcome& outcome, int status, uint64_t cpuUs) const;
  void EnforceDeadline();
  void PauseAfter(const char* syscall, int errnum);

  uv_loop_t* loop_;
  Options options_;
  Channel channel_;
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
  uint64_t nextId_;
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
