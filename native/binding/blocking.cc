#include "binding/blocking.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "binding/callback.h"
#include "child/traffic.h"
#include "fork/exits.h"
#include "support/clock.h"
#include "support/faults.h"

namespace truefork {

namespace {

// What the JavaScript side has to say after each callback; the same numbers stand in lib/zygote/blocking.ts.
enum State : uint32_t { GoOn = 0, Pending = 1, Ended = 2 };

constexpr int kLingerMs = 2000;

// One to a process, which serves one connection at a time.
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
    InitHandles();
  }

  void Use(Napi::Uint8Array buffer) {
    buffer_ = Napi::Persistent(buffer);
    buffer_.SuppressDestruct();
    room_ = buffer.Data();
    size_ = buffer.ByteLength();
  }

  void Start(int fd) {
    fd_ = fd;
    uv_idle_start(&turn_, [](uv_idle_t*) {});
    uv_check_start(&check_, [](uv_check_t* handle) { static_cast<Server*>(handle->data)->Serve(); });
  }

 private:
  void InitHandles() {
    napi_get_uv_event_loop(env_, &loop_);
    // Checks follow the loop's poll, and an idle handle keeps that poll from waiting: so all that the loop
    // watches is registered with its descriptor before we wait for it.
    uv_idle_init(loop_, &turn_);
    uv_check_init(loop_, &check_);
    uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
    check_.data = this;
  }

  void Serve() {
    for (;;) {
      if (state_[0] == Ended) return Finish(Linger());
      if (state_[0] == Pending || LoopIsAlive(reinterpret_cast<uv_handle_t*>(&turn_))) return HandOver();
      pollfd fds[] = {{fd_, POLLIN, 0}, {uv_backend_fd(loop_), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0) continue;
      if (fds[1].revents != 0) return;  // a signal, most likely: the loop takes a turn and comes back
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

  // We have said all, the client perhaps not. To close on unread data would send a reset, and the client
  // might lose the end of our answer: so for a while its words are taken and dropped, until it closes too.
  ssize_t Linger() {
    shutdown(fd_, SHUT_WR);
    const int64_t deadline = NowMicros() + kLingerMs * 1000;
    pollfd more{fd_, POLLIN, 0};
    char unheard[4096];
    while (NowMicros() < deadline && poll(&more, 1, kLingerMs) > 0 && read(fd_, unheard, sizeof unheard) > 0)
      continue;
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

  void Stop() {
    uv_idle_stop(&turn_);
    uv_check_stop(&check_);
  }

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
  uv_idle_t turn_;
  uv_check_t check_;
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
