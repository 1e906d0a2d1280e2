// The concurrent server of one process: all connections in one loop, and select(2) to wait for those that
// have something to read or room to write.
#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "protocol/channel.h"
#include "protocol/connection.h"
#include "select/peer.h"
#include "server/admission/capacity.h"
#include "server/backoff.h"
#include "server/listeners.h"
#include "server/owner_commands.h"
#include "server/reports.h"
#include "support/loop_turn.h"

namespace truefork {

class SelectLoop {
 public:
  struct Options {
    int channel;  // the stream socket to the owner
    std::vector<Listeners::Socket> listeners;
    bool usesPoll = false;  // poll(2) in the place of select(2), which knows no descriptor from FD_SETSIZE on
  };

  // Called on the event loop's top level.
  struct Callbacks {
    std::function<void(const Connection& connection)> open;
    std::function<void(uint64_t id, const char* bytes, size_t size)> data;
    std::function<void(uint64_t id)> end;               // the client has finished
    std::function<void(uint64_t id, int errnum)> fail;  // the connection has failed, and is closed
    std::function<void()> over;                         // the server was stopped, and no connection is left
  };

  SelectLoop(uv_loop_t* loop, const Options& options, Callbacks callbacks);
  SelectLoop(const SelectLoop&) = delete;
  SelectLoop& operator=(const SelectLoop&) = delete;

  // Makes what the loop needs, and listens. False with errno set; `failed` is the system call that did.
  bool Open(const char** failed);

  // Serves from the event loop on, until the owner says Stop or Retire.
  void Start();

  // What the handler does with a connection. An id of no connection is ignored: it may have failed meanwhile.
  //
  // Sends what the client takes now and keeps the rest. False when something is kept, or nothing was written.
  bool Write(uint64_t id, const char* bytes, size_t size);
  // Whether the client is read from. What it sends meanwhile waits in the kernel.
  void SetReading(uint64_t id, bool reads);
  // Closes once everything is sent.
  void End(uint64_t id);
  void Destroy(uint64_t id);
  // Something else has the descriptor from now on, and Destroy() follows when that has closed it.
  void Release(uint64_t id);

 private:
  using Peers = std::map<uint64_t, Peer>;

  // What select(2) or poll(2) saw.
  struct Ready {
    bool client = false;
    bool owner = false;
    std::vector<std::pair<uint64_t, short>> peers = {};
  };

  void RegisterCommands();
  void Turn();
  Ready Wait();
  Deadline NextDeadline(Time now) const;
  bool IsOver() const { return !listeners_.IsOpen() && peers_.empty() && !channel_.HasUnsent(); }
  bool MayAccept(Time now) const;
  bool AcceptOne(Time now);
  void Refuse(int fd);
  void Drain(Time now);
  void ServeReady(uint64_t id, short events, Time now);
  void Read(Peers::iterator peer);
  void Flush(Peers::iterator peer, Time now);
  void CloseOrLinger(Peers::iterator peer, Time now);
  void Fail(Peers::iterator peer, int errnum);
  void Close(Peers::iterator peer);
  void EnforceDeadlines(Time now);
  void Stop(Duration grace, Time now);
  void StopListening();

  LoopTurn turn_;
  Callbacks callbacks_;
  Channel channel_;
  Reports reports_;
  OwnerCommands commands_;
  Listeners listeners_;
  bool usesPoll_;
  Capacity capacity_;
  bool hasBegun_ = false;
  uint64_t nextId_ = 1;
  Peers peers_;
  int drainLeft_ = 0;     // while draining: how many clients the backlog can still hold
  Deadline graceEndsAt_;  // of a stop
  Backoff backoff_;       // after accept(2) failed
  bool isFull_ = false;   // select(2) can take no more descriptors, which was reported
};

}  // namespace truefork
