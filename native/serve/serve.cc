#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/socket.h>
#include <uv.h>

#include "fork/address_space.h"
#include "fork/exits.h"
#include "fork/large_pages.h"
#include "fork/pact.h"
#include "fork/platform.h"
#include "serve/drop.h"
#include "serve/loop.h"
#include "serve/notice.h"
#include "serve/out_of_memory.h"
#include "serve/worker.h"
#include "support/errors.h"

namespace truefork {

namespace {

int64_t Number(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int64Value();
}

// In a child: what it serves.
Connection served{};

void Name(const Connection& connection) {
  served = connection;
  const bool v6 = served.peer.family() == AF_INET6;
  char title[128];
  snprintf(title, sizeof title, v6 ? "truefork: [%s]:%u" : "truefork: %s:%u", served.host.c_str(),
           served.peer.Port());
  uv_set_process_title(title);
}

}  // namespace

// Chunks that were freed and not yet sorted would be written to by the first allocation of each child.
void SettleMalloc() {
#ifdef __GLIBC__
  mallopt(M_MXFAST, 64 * sizeof(size_t) / 4);  // consolidates, and changes nothing: it is the default
  free(malloc(64 * 1024));
#endif
}

Napi::Value Serve(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto given = info[0].As<Napi::Object>();
  ServeLoop::Options options{};
  options.listener = Number(given, "listener");
  options.channel = Number(given, "channel");
  options.backlog = Number(given, "backlog");
  options.maxChildren = Number(given, "maxChildren");
  options.standby = true;
  options.pool.min = Number(given, "poolMin");
  options.pool.max = Number(given, "poolMax");
  options.pool.connectionsPerChild = Number(given, "connectionsPerChild");
  options.settings = Number(given, "settings");

  // Only now, when there is somebody to serve them, may clients queue. On a listener that an earlier zygote
  // has served it changes nothing.
  if (listen(options.listener, options.backlog) != 0) throw SystemError(env, errno, "listen");
  if (!Notice::Prepare()) throw SystemError(env, errno, "mmap");
  StopDyingWithPeer();
  // No JavaScript runs here between forks, so no page is added that would have to be found again.
  MakeAddressSpaceCopyable();
  DropTasksForThreads();  // once for all children
  SettleMalloc();
  const auto gather = [] {
    if (!GatherIntoLargePages()) ExitNow(1);  // the owner starts another
  };
  if (given.Get("privileges").IsUndefined()) {
    options.onceListening = gather;
  } else {
    // All of the above may need what is given up here, the reading of the settings too.
    options.beforeListening = [&] {
      gather();
      DropPrivilegesAsked(env, given.Get("privileges"));
    };
  }
  NoteOutOfMemory();

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  static Napi::FunctionReference onConnection;
  onConnection = Napi::Persistent(given.Get("onConnection").As<Napi::Function>());
  onConnection.SuppressDestruct();
  worker::Prepare(loop, [](const Handover& handover) {
    Name({handover.fd, handover.id, handover.peer, handover.peer.Host()});
    Napi::Env env = onConnection.Env();
    Napi::HandleScope scope(env);
    try {
      onConnection.MakeCallback(env.Global(), {Napi::Number::New(env, handover.fd)});
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
  });
  ServeLoop server(loop, options);
  if (!server.ok()) throw SystemError(env, errno, "mmap");
  const auto connection = server.Run();
  if (!connection) return env.Undefined();
  if (connection->fd >= 0) {
    Name(*connection);
  } else {
    uv_set_process_title("truefork: idle");
  }
  return Napi::Number::New(env, connection->fd);
}

Napi::Value DescribeConnection(const Napi::CallbackInfo& info) {
  Napi::Object described = Napi::Object::New(info.Env());
  described.Set("id", static_cast<double>(served.id));
  described.Set("remoteAddress", served.host);
  described.Set("remotePort", served.peer.Port());
  return described;
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
