#include "fork/exits.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <vector>

#include "support/node_symbols.h"

namespace truefork {

namespace {

struct State {
  uv_loop_t* loop = nullptr;
  uv_prepare_t guard{};
  uv_idle_t oneMoreTurn{};
  ExitEvents events{};
  bool (*veto)() = nullptr;
  void (*insteadOfExit)(int code) = nullptr;
  std::vector<uv_check_t*> nodesChecks{};  // by these Node runs immediates
  bool checksAreStopped = false;
};

State state;

uv_handle_t* Handle(uv_prepare_t& handle) { return reinterpret_cast<uv_handle_t*>(&handle); }

void* NodeEnvironment() {
  if (!v8_isolate_current || !v8_isolate_context || !node_environment) return nullptr;
  return node_environment(v8_isolate_context(v8_isolate_current()));
}

// Whether a uv_async_t was sent that the loop has not looked at. V8's tasks arrive by one, and a task may
// post the next, as where one promise of WebAssembly follows another. Node drains them all before it ends.
bool TaskIsPosted() {
  pollfd wakeUp{state.loop->async_io_watcher.fd, POLLIN, 0};
  return poll(&wakeUp, 1, 0) == 1;
}

// Node would have left its loop by now, and an immediate that is unref'd would never run. So that it does not
// run in the further turns that this child's loop takes, Node's check handles rest until something is alive
// again.
void StopChecks() {
  if (state.checksAreStopped) return;
  state.checksAreStopped = true;
  for (uv_check_t* check : state.nodesChecks) uv_check_stop(check);
}

void RestartChecks() {
  if (!state.checksAreStopped) return;
  state.checksAreStopped = false;
  for (uv_check_t* check : state.nodesChecks) uv_check_start(check, check->check_cb);
}

// Runs at every turn of a child's loop. Work can still be about to enter a loop that looks empty, such as a
// task that V8 posted, so the loop counts as ended only when a whole further turn has brought nothing.
void OnTurn(uv_prepare_t*) {
  const bool secondLook = uv_is_active(reinterpret_cast<uv_handle_t*>(&state.oneMoreTurn)) != 0;
  if (secondLook) uv_idle_stop(&state.oneMoreTurn);
  if (LoopIsAlive()) return RestartChecks();
  if (!secondLook || TaskIsPosted()) {
    StopChecks();
    uv_idle_start(&state.oneMoreTurn, [](uv_idle_t*) {});
    return;
  }
  RestartChecks();
  if (state.veto != nullptr && state.veto()) return;
  state.events.nothingLeft();
  state.events.beforeExit();
  if (LoopIsAlive()) return;
  for (;;) state.events.exit();
}

}  // namespace

void PrepareExits(uv_loop_t* loop, const ExitEvents& events) {
  state.loop = loop;
  state.events = events;
  // Those of our own are not active yet.
  const auto collect = [](uv_handle_t* handle, void*) {
    if (uv_handle_get_type(handle) == UV_CHECK && uv_is_active(handle) != 0)
      state.nodesChecks.push_back(reinterpret_cast<uv_check_t*>(handle));
  };
  uv_walk(loop, collect, nullptr);
  uv_prepare_init(loop, &state.guard);
  uv_idle_init(loop, &state.oneMoreTurn);
}

void SetExitVeto(bool (*veto)()) { state.veto = veto; }

void InsteadOfExit(void (*leave)(int code)) { state.insteadOfExit = leave; }

void GuardExits() {
  if (state.loop != nullptr) uv_prepare_start(&state.guard, OnTurn);
}

std::optional<int> EmitExit() {
  void* environment = NodeEnvironment();
  if (environment == nullptr || !node_emit_process_exit) return std::nullopt;
  const NodeMaybeExitCode code = node_emit_process_exit(environment);
  return code.has ? std::optional<int>(code.value) : std::nullopt;
}

bool ExitAfterReport(int code) {
  void* environment = NodeEnvironment();
  if (environment == nullptr || !node_at_exit) return false;
  static int exitCode;
  exitCode = code;
  node_at_exit(
      environment, [](void*) { ExitNow(exitCode); }, nullptr);
  return true;
}

void ExitNow(int code) {
  fflush(nullptr);
  if (state.insteadOfExit != nullptr) state.insteadOfExit(code);
  _exit(code);
}

bool LoopIsAlive(uv_handle_t* besides) {
  const bool hadRef = besides != nullptr && uv_has_ref(besides) != 0;
  uv_unref(Handle(state.guard));
  if (hadRef) uv_unref(besides);
  const bool alive = uv_loop_alive(state.loop) != 0;
  uv_ref(Handle(state.guard));
  if (hadRef) uv_ref(besides);
  return alive;
}

}  // namespace truefork
