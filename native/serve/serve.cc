#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

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

// Clients of a Unix socket have no name, as a rule: the socket's own has to do. It is put together by hand:
// the pages of the C library's ways to do that are pages that each child would have to fault in.
void Name(Connection&& connection) {
  served = std::move(connection);
  char title[160];
  char* end = title;
  const auto add = [&](std::string_view text) {
    end = std::copy_n(text.data(), std::min<size_t>(text.size(), std::end(title) - 1 - end), end);
  };
  add("truefork: ");
  if (served.local.family() == AF_UNIX) {
    add(served.local.Text());
  } else {
    const bool v6 = served.peer.family() == AF_INET6;
    char port[8] = ":";
    const char* portEnd = std::to_chars(port + 1, std::end(port), served.peer.Port()).ptr;
    if (v6) add("[");
    add(served.host);
    if (v6) add("]");
    add({port, static_cast<size_t>(portEnd - port)});
  }
  *end = '\0';
  uv_set_process_title(title);
}

const char* FamilyOf(const Connection& connection) {
  switch (connection.local.family()) {
    case AF_INET:
      return "IPv4";
    case AF_INET6:
      return "IPv6";
    default:
      return "Unix";
  }
}

std::unique_ptr<Program> ProgramFrom(const Napi::Object& options) {
  if (!options.Get("program").IsObject()) return nullptr;
  const auto given = options.Get("program").As<Napi::Object>();
  const auto list = given.Get("arguments").As<Napi::Array>();
  std::vector<std::string> arguments;
  for (uint32_t i = 0; i < list.Length(); i++) arguments.push_back(list.Get(i).As<Napi::String>());
  return std::make_unique<Program>(given.Get("path").As<Napi::String>(), arguments, environ);
}

// Who is called in a child that was forked ahead, or serves again, with each connection that comes to it.
void PrepareWorkers(uv_loop_t* loop, Napi::Function begin) {
  static Napi::FunctionReference onConnection;
  onConnection = Napi::Persistent(begin);
  onConnection.SuppressDestruct();
  worker::Prepare(loop, [](const Handover& handover) {
    Name({handover.fd, handover.id, handover.peer, handover.local, handover.peer.Text()});
    Napi::Env env = onConnection.Env();
    Napi::HandleScope scope(env);
    try {
      onConnection.MakeCallback(env.Global(), {Napi::Number::New(env, handover.fd)});
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
  });
}

// Chunks that were freed and not yet sorted would be written to by the first allocation of each child.
void SettleMalloc() {
#ifdef __GLIBC__
  mallopt(M_MXFAST, 64 * sizeof(size_t) / 4);  // consolidates, and changes nothing: it is the default
  free(malloc(64 * 1024));
#endif
}

}  // namespace

std::vector<Listeners::Socket> ListenersFrom(const Napi::Object& options) {
  const auto list = options.Get("listeners").As<Napi::Array>();
  std::vector<Listeners::Socket> sockets;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto pair = list.Get(i).As<Napi::Array>();
    const auto number = [&](uint32_t at) { return pair.Get(at).As<Napi::Number>().Int32Value(); };
    sockets.push_back({number(0), number(1)});
  }
  return sockets;
}

Napi::Object ConnectionObject(Napi::Env env, const Connection& connection) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", static_cast<double>(connection.id));
  object.Set("family", FamilyOf(connection));
  object.Set("remoteAddress", connection.host);
  object.Set("remotePort", connection.peer.Port());
  object.Set("localAddress", connection.local.Text());
  object.Set("localPort", connection.local.Port());
  return object;
}

Napi::Value Serve(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto given = info[0].As<Napi::Object>();
  ServeLoop::Options options{};
  options.channel = Number(given, "channel");
  options.maxChildren = Number(given, "maxChildren");
  options.standby = true;
  options.pool.min = Number(given, "poolMin");
  options.pool.max = Number(given, "poolMax");
  options.pool.connectionsPerChild = Number(given, "connectionsPerChild");
  options.settings = Number(given, "settings");

  const std::unique_ptr<Program> program = ProgramFrom(given);
  options.program = program.get();

  // Only now, when there is somebody to serve them, may clients queue. On a listener that an earlier zygote
  // has served it changes nothing.
  static Listeners* listeners;
  listeners = new Listeners(ListenersFrom(given));
  const char* failed = nullptr;
  if (!listeners->Listen(&failed)) throw SystemError(env, errno, failed);
  if (!Notice::Prepare()) throw SystemError(env, errno, "mmap");
  StopDyingWithPeer();
  // No JavaScript runs here between forks, so no page is added that would have to be found again.
  // What becomes another program needs none of what forked JavaScript is fast by.
  if (!program) {
    MakeAddressSpaceCopyable();
    DropTasksForThreads();  // once for all children
    SettleMalloc();
    NoteOutOfMemory();
  }
  const auto gather = [&program] {
    if (!program && !GatherIntoLargePages()) ExitNow(1);  // the owner starts another
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

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (!program) PrepareWorkers(loop, given.Get("onConnection").As<Napi::Function>());
  static ServeLoop* server;
  server = new ServeLoop(loop, *listeners, options);
  if (!server->ok()) throw SystemError(env, errno, "mmap");
  auto connection = server->Run();
  // A child leaves what it has no use of as it lies: to take it apart would be to write to pages that it
  // shares. The parent's process ends.
  if (!connection) return env.Undefined();
  const int fd = connection->fd;
  if (fd >= 0) {
    Name(std::move(*connection));
  } else {
    uv_set_process_title("truefork: idle");
  }
  return Napi::Number::New(env, fd);
}

Napi::Value DescribeConnection(const Napi::CallbackInfo& info) {
  return ConnectionObject(info.Env(), served);
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
