#include "binding/blocking.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "binding/callback.h"
#include "child/traffic.h"
#include "fork/exits.h"
#include "support/faults.h"
#include "support/lingering_close.h"
#include "support/loop_turn.h"

namespace truefork {

namespace {

// What JavaScript answers after each callback; the same numbers stand in lib/child/callbacks.ts.
enum State : uint32_t { GoOn = 0, Pending = 1, Ended = 2 };

// The one in this process, which serves one connection at a time.
class Server {
 public:
  void Prepare(Napi::Env env, Napi::Uint32Array state, Napi::Object callbacks) {
    env_ = env;
    state_ = state.Data();
    stateArray_ = Napi::Persistent(state);
    stateArray_.SuppressDestruct();
    data_ = Callback(callbacks, "data");
    end_ = Callback(callbacks, "end");
    handOver_ = Callback(callbacks, "handOver");
    napi_get_uv_event_loop(env_, &loop_);
    turn_.Init(loop_, [this] { Serve(); });
  }

  void Use(Napi::Uint8Array buffer) {
    buffer_ = Napi::Persistent(buffer);
    buffer_.SuppressDestruct();
    room_ = buffer.Data();
    size_ = buffer.ByteLength();
  }

  void Start(int fd) {
    fd_ = fd;
    turn_.Start();
  }

 private:
  void Serve() {
    for (;;) {
      if (state_[0] == Ended) return Finish(Linger());
      if (state_[0] == Pending || LoopIsAlive(turn_.handle())) return HandOver();
      pollfd fds[] = {{fd_, POLLIN, 0}, {turn_.fd(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0) continue;
      if (fds[1].revents != 0) return;  // A signal, most likely: the event loop's turn, then this again.
      const ssize_t size = Read();
      if (size > 0) {
        data_(size);
      } else if (size == 0) {
        return Finish(0);
      } else if (size != -EINTR && size != -EAGAIN) {
        return Finish(size);
      }
    }
  }

  ssize_t Read() {
    if (const int errnum = faults::Take(faults::Call::Read)) return -errnum;
    const ssize_t size = read(fd_, room_ + state_[1], size_ - state_[1]);
    if (size < 0) return -errno;
    traffic::Received(size);
    return size;
  }

  ssize_t Linger() {
    BeginLingeringClose(fd_);
    const Deadline deadline = Now() + kLingerTime;
    pollfd more{fd_, POLLIN, 0};
    while (poll(&more, 1, deadline.PollTimeout(Now())) > 0 && DropInput(fd_)) continue;
    return 0;
  }

  void Finish(ssize_t errnum) {
    Stop();
    end_(errnum);
  }

  void HandOver() {
    Stop();
    handOver_();
  }

  void Stop() { turn_.Stop(); }

  Napi::Env env_{nullptr};
  int fd_ = -1;
  uint32_t* state_ = nullptr;  // what is to be done, and how much of the room is used
  uint8_t* room_ = nullptr;
  size_t size_ = 0;
  Napi::Reference<Napi::Uint32Array> stateArray_;
  Napi::Reference<Napi::Uint8Array> buffer_;
  Callback data_;
  Callback end_;
  Callback handOver_;
  uv_loop_t* loop_ = nullptr;
  LoopTurn turn_;
};

Server server;

// Sockets, and standard output, which may be anything.
ssize_t WriteOnce(int fd, const uint8_t* bytes, size_t size) {
  const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
  return sent < 0 && errno == ENOTSOCK ? write(fd, bytes, size) : sent;
}

}  // namespace

Napi::Value PrepareBlocking(const Napi::CallbackInfo& info) {
  server.Prepare(info.Env(), info[0].As<Napi::Uint32Array>(), info[1].As<Napi::Object>());
  return info.Env().Undefined();
}

Napi::Value ReadInto(const Napi::CallbackInfo& info) {
  server.Use(info[0].As<Napi::Uint8Array>());
  return info.Env().Undefined();
}

Napi::Value ServeBlocking(const Napi::CallbackInfo& info) {
  server.Start(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Value WriteAll(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const uint8_t* at = bytes.Data();
  size_t left = bytes.ByteLength();
  while (left > 0) {
    int errnum = faults::Take(faults::Call::Write);
    ssize_t size = -1;
    if (errnum == 0 && (size = WriteOnce(fd, at, left)) < 0) errnum = errno;
    if (size >= 0) {
      traffic::Sent(fd, size);
      at += size;
      left -= size;
    } else if (errnum == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errnum != EINTR) {
      return Napi::Number::New(info.Env(), -errnum);
    }
  }
  return Napi::Number::New(info.Env(), 0);
}

}  // namespace truefork
