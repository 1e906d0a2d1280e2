// A callback in each turn of libuv's event loop, for code that sleeps in a poll(2) of its own.
#pragma once

#include <uv.h>

#include <functional>

namespace truefork {

// libuv's loop waits inside its own poll, where nothing else can be waited for. So the loop is kept from
// waiting and the callback waits in its stead: an active idle handle makes the loop's poll return at once,
// and a check handle runs the callback right after that poll. At that point everything that JavaScript asked
// the loop to watch is registered with the loop's descriptor, because libuv registers watches just before it
// polls. The callback therefore includes that descriptor in its own poll, and returns when it becomes
// readable, so that the loop handles what it is about and comes back.
//
// The callback runs on the event loop's top level. JavaScript called from there is followed by its promises
// and ticks, and a fork made there has no half-processed batch of events on the stack.
class LoopTurn {
 public:
  LoopTurn() = default;
  LoopTurn(const LoopTurn&) = delete;
  LoopTurn& operator=(const LoopTurn&) = delete;

  // Once. A LoopTurn that was initialised has to live as long as the loop.
  void Init(uv_loop_t* loop, std::function<void()> onTurn);

  // Runs the callback in each turn until Stop(), and keeps the event loop alive as long.
  void Start();
  void Stop();

  // What the event loop itself would wait for: its descriptor, and its timeout as poll(2) takes it.
  int fd() const { return uv_backend_fd(loop_); }
  int Timeout();
  // What wakes the loop up when something is posted to it, or a signal arrives.
  int wakeUpFd() const { return loop_->async_io_watcher.fd; }
  int signalFd() const { return loop_->signal_pipefd[0]; }
  void UpdateTime() { uv_update_time(loop_); }

  // The handle that keeps the event loop alive.
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&idle_); }

 private:
  uv_loop_t* loop_ = nullptr;
  uv_idle_t idle_{};
  uv_check_t check_{};
  std::function<void()> onTurn_;
};

}  // namespace truefork
