// The concurrent single server: one process, every connection, select(2) to wait for whichever has something
// to say.
#pragma once

#include <napi.h>
#include <poll.h>
#include <uv.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "binding/callback.h"
#include "protocol/channel.h"
#include "server/listeners.h"

namespace truefork {

class Multiplexer {
 public:
  struct Options {
    int channel;
    uint32_t maxConnections;  // at the cap clients wait in the backlog: 1 makes an iterative server
    bool standby;             // lets nobody in before the owner says Begin
    bool usePoll;             // poll(2) in place of select(2), which knows no descriptor from FD_SETSIZE on
  };

  // callbacks: { open(connection), data(id, chunk), end(id, errno), ended() }
  void Start(Napi::Env env, std::unique_ptr<Listeners> listeners, const Options& options,
             Napi::Object callbacks);

  // Sends what the client takes now and keeps the rest in line. False when there is a line, or no such
  // connection.
  bool Write(uint64_t id, const char* bytes, size_t size);
  // Whether the client is listened to; a handler that is busy with it has it wait.
  void SetReading(uint64_t id, bool reading);
  // Closes once the line is sent.
  void End(uint64_t id);
  void Destroy(uint64_t id);
  // Leaves the descriptor to somebody else, who will say Destroy() when it is closed.
  void Release(uint64_t id);

 private:
  struct Peer {
    int fd;
    int64_t acceptedAt;
    std::string line = {};     // what the client has not taken yet
    bool wanted = true;        // the handler wants to hear of it
    bool hasFinished = false;  // the client has sent all it will
    bool ending = false;       // we have said all, but for the line
    bool released = false;     // somebody else reads, writes and closes
    int64_t lingersUntil = 0;  // and that too: what it still sends is dropped
  };
  using Peers = std::map<uint64_t, Peer>;

  void Serve();
  bool Wait();
  bool WaitBySelect(int timeout);
  bool HasEnded() const { return !listeners_->open() && peers_.empty() && !channel_.HasUnsent(); }
  bool MayAccept() const;
  int MillisecondsToSleep() const;
  void ObeyCommands();
  void Obey(const Channel::Message& message);
  void Stop(uint32_t graceMs);
  bool AcceptOne();
  void Drain();
  void ServeReady(uint64_t id, short events);
  void Read(uint64_t id);
  void SendLine(uint64_t id);
  void Fail(uint64_t id, int errnum);
  void Linger(Peers::iterator peer);
  void Close(Peers::iterator peer);
  void EndOverdue();
  void StopListening();

  Napi::Env env_{nullptr};
  std::unique_ptr<Listeners> listeners_;
  Options options_{};
  Channel channel_{-1};
  Callback open_;
  Callback data_;
  Callback end_;
  Callback ended_;
  uv_loop_t* loop_ = nullptr;
  uv_idle_t turn_;
  uv_check_t check_;
  Peers peers_;
  std::vector<pollfd> waited_;  // what the last wait was for: listener, channel, event loop, then the peers
  std::vector<uint64_t> waitedIds_;  // whose each is, from the fourth on
  uint64_t nextId_ = 1;
  uint32_t elsewhere_ = 0;  // connections of processes that have retired
  int drainLeft_ = 0;       // how many queued clients a stopping server still lets in
  bool refusing_ = false;   // said already that select() can take no more
  int64_t deadline_ = 0;    // when a stop is over; 0: never
  int64_t acceptAgainAt_ = 0;
};

// multiplex(options, callbacks) starts it, on the event loop's top; the others act on one connection by its
// id.
Napi::Object RegisterMultiplexer(Napi::Env env, Napi::Object exports);

}  // namespace truefork
