// The forking server: the lecture's accept, fork, close, with all that a server meets on a bad day.
#pragma once

#include <uv.h>

#include <optional>

#include "fork/signals.h"
#include "serve/channel.h"
#include "serve/children.h"
#include "support/address.h"

namespace truefork {

struct Connection {
  int fd;
  uint64_t id;
  Address peer;
};

class ServeLoop {
 public:
  struct Options {
    int listener;          // bound, non-blocking; it becomes a listening socket here
    int channel;           // the stream socket to the owner
    int backlog;           // as in listen(2)
    uint32_t maxChildren;  // at the cap clients wait in the backlog; 0: all, until the owner says Begin
    uint64_t firstId;      // the id of the first connection
  };

  ServeLoop(uv_loop_t* loop, const Options& options);

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
  bool MayAccept() const;
  std::optional<Connection> NextConnection();
  std::optional<Connection> Accept();
  pid_t ForkFor(const Connection& connection);
  void KeepNothingOfTheParent();
  void ObeyCommands();
  void ObeyHandover(const Channel::Message& message);
  void Retire();
  void TellChildrenToFinish();
  void Stop(const protocol::StopCommand& command);
  void KillAll();
  void StopListening();
  void ReapChildren();
  void EnforceDeadline();
  void PauseAfter(const char* syscall, int errnum);

  uv_loop_t* loop_;
  Options options_;
  Channel channel_;
  OwnersSignalsIgnored ownersSignalsIgnored_;
  HandlersSuspended handlersSuspended_;
  ChildSignal childSignal_;
  Children children_;

  Phase phase_ = Phase::Serving;
  bool ownerIsGone_ = false;
  bool listenerIsReady_ = false;
  uint64_t nextId_;
  bool queueIsEmpty_ = false;
  int drainLeft_ = 0;     // how many queued clients a stopping server still lets in
  int64_t deadline_ = 0;  // when the phase is over; 0: never
  uint32_t killMs_ = 0;
  std::optional<Connection> unserved_;  // accepted, but no process could be forked for it yet
  int64_t pausedUntil_ = 0;             // no accept, no fork before
  int pauseMs_ = 0;                     // how long the last pause was; 0: all is well
};

}  // namespace truefork
