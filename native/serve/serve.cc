#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <uv.h>

#include "fork/address_space.h"
#include "fork/pact.h"
#include "fork/platform.h"
#include "serve/loop.h"
#include "support/errors.h"

namespace truefork {

namespace {

int64_t Number(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int64Value();
}

void NameProcess(const Connection& connection) {
  const std::string host = connection.peer.Host();
  const bool v6 = connection.peer.family() == AF_INET6;
  const std::string address = v6 ? "[" + host + "]" : host;
  uv_set_process_title(("truefork: " + address + ":" + std::to_string(connection.peer.Port())).c_str());
}

}  // namespace

Napi::Value Serve(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto given = info[0].As<Napi::Object>();
  ServeLoop::Options options{};
  options.listener = Number(given, "listener");
  options.channel = Number(given, "channel");
  options.backlog = Number(given, "backlog");
  options.maxChildren = Number(given, "maxChildren");
  options.firstId = Number(given, "firstId");

  // Only now, when there is somebody to serve them, may clients queue. On a listener that an earlier zygote
  // has served it changes nothing.
  if (listen(options.listener, options.backlog) != 0) throw SystemError(env, errno, "listen");
  StopDyingWithPeer();
  // No JavaScript runs here between forks, so no page is added that would have to be found again.
  MakeAddressSpaceCopyable();
  DropTasksForThreads();  // once for all children

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  ServeLoop server(loop, options);
  const auto connection = server.Run();
  if (!connection) return env.Undefined();

  NameProcess(*connection);
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", connection->fd);
  result.Set("id", static_cast<double>(connection->id));
  result.Set("remoteAddress", connection->peer.Host());
  result.Set("remotePort", connection->peer.Port());
  return result;
}

Napi::Value ProtocolLayouts(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object layouts = Napi::Object::New(env);
  for (const protocol::Layout& layout : protocol::kLayouts) {
    Napi::Object fields = Napi::Object::New(env);
    for (const protocol::Field* field = layout.fields; field->name != nullptr; field++) {
      Napi::Array place = Napi::Array::New(env, 2);
      place.Set(0u, static_cast<double>(field->offset));
      place.Set(1u, static_cast<double>(field->size));
      fields.Set(field->name, place);
    }
    Napi::Object described = Napi::Object::New(env);
    described.Set("kind", layout.kind);
    described.Set("size", static_cast<double>(layout.size));
    described.Set("fields", fields);
    layouts.Set(layout.name, described);
  }
  return layouts;
}

}  // namespace truefork
