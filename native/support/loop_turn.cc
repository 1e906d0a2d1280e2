#include "support/loop_turn.h"

#include <utility>

namespace truefork {

void LoopTurn::Init(uv_loop_t* loop, std::function<void()> onTurn) {
  loop_ = loop;
  onTurn_ = std::move(onTurn);
  uv_idle_init(loop, &idle_);
  uv_check_init(loop, &check_);
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  check_.data = this;
}

void LoopTurn::Start() {
  uv_idle_start(&idle_, [](uv_idle_t*) {});
  uv_check_start(&check_, [](uv_check_t* check) { static_cast<LoopTurn*>(check->data)->onTurn_(); });
}

void LoopTurn::Stop() {
  uv_idle_stop(&idle_);
  uv_check_stop(&check_);
}

int LoopTurn::Timeout() {
  const bool wasActive = uv_is_active(handle()) != 0;
  uv_idle_stop(&idle_);  // while it is active, libuv says 0
  const int timeout = uv_loop_alive(loop_) != 0 ? uv_backend_timeout(loop_) : -1;
  if (wasActive) uv_idle_start(&idle_, [](uv_idle_t*) {});
  return timeout;
}

}  // namespace truefork
