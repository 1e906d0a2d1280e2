#include "binding/socket_traffic.h"

#include <uv.h>

#include "child/traffic.h"

namespace truefork {

namespace {

uv_prepare_t beforeSleep;
Napi::ObjectReference handle;
bool isWatching = false;
uint64_t bytesInBefore = 0;  // what was counted already when this socket took over
uint64_t bytesOutBefore = 0;

uint64_t Count(const Napi::Value& value) {
  return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0;
}

void Reached(const Napi::Value& bytesRead, const Napi::Value& bytesWritten) {
  traffic::Reached(bytesInBefore + Count(bytesRead), bytesOutBefore + Count(bytesWritten));
}

}  // namespace

Napi::Value WatchTraffic(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  static bool isInitialised = false;
  if (!isInitialised) {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    uv_prepare_init(loop, &beforeSleep);
    uv_unref(reinterpret_cast<uv_handle_t*>(&beforeSleep));
    handle.SuppressDestruct();
    isInitialised = true;
  }
  handle = Napi::Persistent(info[0].As<Napi::Object>());
  handle.SuppressDestruct();
  bytesInBefore = traffic::BytesIn();
  bytesOutBefore = traffic::BytesOut();
  isWatching = true;
  uv_prepare_start(&beforeSleep, [](uv_prepare_t*) { SampleTraffic(); });
  return env.Undefined();
}

Napi::Value EndTraffic(const Napi::CallbackInfo& info) {
  if (!isWatching) return info.Env().Undefined();
  Reached(info[0], info[1]);
  isWatching = false;
  uv_prepare_stop(&beforeSleep);
  handle.Reset();
  return info.Env().Undefined();
}

void SampleTraffic() {
  if (!isWatching) return;
  Napi::HandleScope scope(handle.Env());
  const Napi::Object socket = handle.Value();
  Reached(socket.Get("bytesRead"), socket.Get("bytesWritten"));
}

}  // namespace truefork
