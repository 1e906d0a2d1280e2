#include "binding/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "binding/callback.h"
#include "binding/drop.h"
#include "binding/errors.h"
#include "child/drain_flag.h"
#include "child/out_of_memory.h"
#include "child/worker.h"
#include "fork/address_space.h"
#include "fork/exits.h"
#include "fork/platform.h"
#include "isolation/parent_death.h"
#include "server/loop.h"
#include "speed/huge_pages.h"
#include "speed/settle_malloc.h"

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

std::unique_ptr<Program> ProgramFrom(const Napi::Object& options) {
  if (!options.Get("program").IsObject()) return nullptr;
  const auto given = options.Get("program").As<Napi::Object>();
  const auto list = given.Get("arguments").As<Napi::Array>();
  std::vector<std::string> arguments;
  for (uint32_t i = 0; i < list.Length(); i++) arguments.push_back(list.Get(i).As<Napi::String>());
  return std::make_unique<Program>(given.Get("path").As<Napi::String>(), arguments, environ);
}

// What the event loop runs when it has nothing else to do, and what is called where that returns. There is
// one to a process, and a child leaves it as it lies: to take it apart would be to write to pages that it
// shares.
struct Service {
  Service(const Napi::Object& given, uv_loop_t* eventLoop, const ServeLoop::Options& options)
      : listeners(ListenersFrom(given)),
        loop(eventLoop, listeners, options),
        onChild(given, "onChild"),
        onConnection(given, "onConnection"),
        onEnd(given, "onEnd") {
    uv_idle_init(eventLoop, &turn);
    uv_check_init(eventLoop, &check);
  }

  Listeners listeners;
  ServeLoop loop;
  Callback onChild;
  Callback onConnection;
  Callback onEnd;
  uv_idle_t turn;
  uv_check_t check;
};

Service* service;

// No JavaScript runs here between forks, so no page is written to that would have to be copied for it; and
// there is none on the stack that a child would have to return through.
void Run(uv_check_t*) {
  uv_idle_stop(&service->turn);
  uv_check_stop(&service->check);
  auto connection = service->loop.Run();
  if (!connection) return service->onEnd();
  const int fd = connection->fd;
  if (fd >= 0) {
    Name(std::move(*connection));
  } else {
    uv_set_process_title("truefork: idle");
  }
  service->onChild(fd);
}

// A child that was forked ahead, or serves again, is called with each connection that comes to it.
void PrepareWorkers(uv_loop_t* loop) {
  worker::Prepare(loop, [](const Handover& handover) {
    Name({handover.fd, handover.id, handover.peer, handover.local, handover.peer.Text()});
    service->onConnection(handover.fd);
  });
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
  object.Set("family", connection.local.FamilyName());
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
  options.pool.min = Number(given, "spareMin");
  options.pool.max = Number(given, "spareMax");
  options.pool.connectionsPerChild = Number(given, "connectionsPerChild");
  options.settings = Number(given, "settings");
  static const std::unique_ptr<Program> program = ProgramFrom(given);
  options.program = program.get();
  const auto gather = [] {
    if (!program && !GatherIntoHugePages()) ExitNow(1);  // the owner starts another
  };
  const bool keepsPrivileges = given.Get("privileges").IsUndefined();
  if (keepsPrivileges) options.onceListening = gather;

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  service = new Service(given, loop, options);
  if (!service->loop.ok() || !Notice::Prepare()) throw SystemError(env, errno, "mmap");
  // Only now, when there is somebody to serve them, may clients queue. On a listener that an earlier zygote
  // has served it changes nothing.
  const char* failed = nullptr;
  if (!service->listeners.Listen(&failed)) throw SystemError(env, errno, failed);
  StopDyingWithPeer();
  // What becomes another program needs none of what forked JavaScript is fast by.
  if (!program) {
    PrepareWorkers(loop);
    MakeAddressSpaceCopyable();
    DropTasksForThreads();  // once for all children
    SettleMalloc();
    NoteOutOfMemory();
  }
  service->loop.AwaitSettings();
  if (!keepsPrivileges) {
    // All of the above may need what is given up here, the reading of the settings too.
    gather();
    DropPrivilegesAsked(env, given.Get("privileges"));
  }
  uv_idle_start(&service->turn, [](uv_idle_t*) {});  // or the loop would wait first
  uv_check_start(&service->check, Run);
  return env.Undefined();
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
