#include "binding/multiplex.h"

#include <errno.h>

#include "binding/callback.h"
#include "binding/errors.h"
#include "binding/serve.h"
#include "select/select_loop.h"

namespace truefork {

namespace {

// The one server of this process.
SelectLoop* server = nullptr;

struct Events {
  explicit Events(const Napi::Object& given)
      : open(given, "open"), data(given, "data"), end(given, "end"), ended(given, "ended") {}

  Callback open;
  Callback data;
  Callback end;
  Callback ended;
};

SelectLoop::Callbacks CallbacksFrom(Napi::Env env, const Napi::Object& given) {
  auto* events = new Events(given);  // which live as long as the server: until the process ends
  return {
      [env, events](const Connection& connection) {
        Napi::HandleScope scope(env);
        Napi::Object accepted = ConnectionObject(env, connection);
        accepted.Set("fd", connection.fd);
        events->open(accepted);
      },
      [env, events](uint64_t id, const char* bytes, size_t size) {
        Napi::HandleScope scope(env);
        events->data(id, Napi::Buffer<char>::Copy(env, bytes, size));
      },
      [events](uint64_t id) { events->end(id, 0); },
      [events](uint64_t id, int errnum) { events->end(id, -errnum); },
      [events] { events->ended(); },
  };
}

uint64_t Id(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Int64Value(); }

}  // namespace

Napi::Value Multiplex(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto given = info[0].As<Napi::Object>();
  SelectLoop::Options options{};
  options.channel = given.Get("channel").As<Napi::Number>().Int32Value();
  options.listeners = ListenersFrom(given);
  options.usesPoll = given.Get("usePoll").ToBoolean();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  server = new SelectLoop(loop, options, CallbacksFrom(env, info[1].As<Napi::Object>()));
  const char* failed = nullptr;
  if (!server->Open(&failed)) throw SystemError(env, errno, failed);
  server->Start();
  return env.Undefined();
}

Napi::Value PeerWrite(const Napi::CallbackInfo& info) {
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const auto* data = reinterpret_cast<const char*>(bytes.Data());
  return Napi::Boolean::New(info.Env(), server->Write(Id(info), data, bytes.ByteLength()));
}

void PeerRead(const Napi::CallbackInfo& info) { server->SetReading(Id(info), info[1].ToBoolean()); }
void PeerEnd(const Napi::CallbackInfo& info) { server->End(Id(info)); }
void PeerDestroy(const Napi::CallbackInfo& info) { server->Destroy(Id(info)); }
void PeerRelease(const Napi::CallbackInfo& info) { server->Release(Id(info)); }

}  // namespace truefork
