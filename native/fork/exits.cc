#include "fork/exits.h"

#include <napi.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "binding/callback.h"
#include "support/node_symbols.h"

// Node's C++ embedder API, found as in node_symbols.h: an uncaught exception leaves through it alone.
extern "C" {
__attribute__((weak)) void* v8_isolate_context(void* isolate) __asm__("_ZN2v87Isolate17GetCurrentContextEv");
__attribute__((weak)) void* node_environment(void* context) __asm__(
    "_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE");
__attribute__((weak)) void node_at_exit(void* environment, void (*callback)(void*),
                                        void* data) __asm__("_ZN4node6AtExitEPNS_11EnvironmentEPFvPvES2_");
struct MaybeExitCode {  // v8::Maybe<int>
  bool has;
  int value;
};
__attribute__((weak)) MaybeExitCode node_emit_process_exit(void* environment) __asm__(
    "_ZN4node15EmitProcessExitEPNS_11EnvironmentE");
}

namespace truefork {

namespace {

uv_loop_t* loop = nullptr;
uv_prepare_t guard;
uv_idle_t oneMoreTurn;
Callback end;
Callback beforeExit;
Callback atExit;
bool (*goesOn)() = [] { return false; };
void (*insteadOfExit)(int) = [](int) {};

void* NodeEnvironment() {
  if (!v8_isolate_current || !v8_isolate_context || !node_environment) return nullptr;
  return node_environment(v8_isolate_context(v8_isolate_current()));
}

// Whether a uv_async_t was sent that the loop has not looked at: V8's tasks arrive so, and one may post the
// next, as where one promise of WebAssembly follows another. Node drains them all before it believes an end.
bool TaskIsPosted() {
  pollfd wakeUp{loop->async_io_watcher.fd, POLLIN, 0};
  return poll(&wakeUp, 1, 0) == 1;
}

// Runs at every turn of a child's loop. Work can still be about to enter a loop that looks empty (a task that
// V8 posted, an unref'd immediate), so the end is believed only when a whole further turn has brought
// nothing.
void OnTurn(uv_prepare_t*) {
  const bool secondLook = uv_is_active(reinterpret_cast<uv_handle_t*>(&oneMoreTurn)) != 0;
  if (secondLook) uv_idle_stop(&oneMoreTurn);
  if (LoopIsAlive()) return;
  if (!secondLook || TaskIsPosted()) {
    uv_idle_start(&oneMoreTurn, [](uv_idle_t*) {});
    return;
  }
  if (goesOn()) return;
  end();
  beforeExit();
  if (!LoopIsAlive()) atExit();
}

}  // namespace

void PrepareExits(Napi::Env env, Napi::Object given) {
  end = Callback(given, "end");
  beforeExit = Callback(given, "beforeExit");
  atExit = Callback(given, "exit");
  napi_get_uv_event_loop(env, &loop);
  uv_prepare_init(loop, &guard);
  uv_idle_init(loop, &oneMoreTurn);
}

void SetExitVeto(bool (*asked)()) { goesOn = asked; }

void InsteadOfExit(void (*leave)(int code)) { insteadOfExit = leave; }

void GuardExits() { uv_prepare_start(&guard, OnTurn); }

std::optional<int> EmitExit() {
  void* environment = NodeEnvironment();
  if (environment == nullptr || !node_emit_process_exit) return std::nullopt;
  const MaybeExitCode code = node_emit_process_exit(environment);
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
  insteadOfExit(code);
  _exit(code);
}

bool LoopIsAlive(uv_handle_t* besides) {
  auto* guardHandle = reinterpret_cast<uv_handle_t*>(&guard);
  const bool hadRef = besides != nullptr && uv_has_ref(besides) != 0;
  uv_unref(guardHandle);
  if (hadRef) uv_unref(besides);
  const bool alive = uv_loop_alive(loop) != 0;
  uv_ref(guardHandle);
  if (hadRef) uv_ref(besides);
  return alive;
}

}  // namespace truefork
