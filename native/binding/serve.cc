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
#include "binding/isolation.h"
#include "child/out_of_memory.h"
#include "child/worker.h"
#include "fork/address_space.h"
#include "fork/exits.h"
#include "fork/platform.h"
#include "isolation/parent_death.h"
#include "rollback/rollback.h"
#include "server/loop.h"
#include "speed/huge_pages.h"
#include "speed/settle_malloc.h"
#include "support/loop_turn.h"

namespace truefork {

namespace {

int64_t Number(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int64Value();
}

// In a child: the connection that it serves.
Connection served{};

// Sets the process title that ps(1) shows. Clients of a Unix socket have no address, as a rule, so the
// socket's own is shown. The text is put together by hand, because what the C library needs for it lies on
// pages that each child would have to fault in.
void SetTitle(const Connection& connection) {
  char title[160];
  char* end = title;
  const auto add = [&](std::string_view text) {
    end = std::copy_n(text.data(), std::min<size_t>(text.size(), std::end(title) - 1 - end), end);
  };
  add("truefork: ");
  if (connection.local.family() == AF_UNIX) {
    add(connection.local.Text());
  } else {
    const bool v6 = connection.peer.family() == AF_INET6;
    char port[8] = ":";
    const char* portEnd = std::to_chars(port + 1, std::end(port), connection.peer.Port()).ptr;
    if (v6) add("[");
    add(connection.host);
    if (v6) add("]");
    add({port, static_cast<size_t>(portEnd - port)});
  }
  *end = '\0';
  uv_set_process_title(title);
}

std::optional<Program> ProgramFrom(const Napi::Object& options) {
  if (!options.Get("program").IsObject()) return std::nullopt;
  const auto given = options.Get("program").As<Napi::Object>();
  const auto list = given.Get("arguments").As<Napi::Array>();
  Program program{given.Get("path").As<Napi::String>(), {}, environ};
  for (uint32_t i = 0; i < list.Length(); i++) program.arguments.push_back(list.Get(i).As<Napi::String>());
  return program;
}

// The one server of this process. It is never destroyed: a child leaves it as it is, because to take it apart
// would be to write to pages that the child shares with the zygote.
struct Service {
  Service(const Napi::Object& given, uv_loop_t* eventLoop, const ServeLoop::Options& options)
      : loop(eventLoop, options),
        onChild(given, "onChild"),
        onConnection(given, "onConnection"),
        onServed(given, "onServed"),
        onEnd(given, "onEnd"),
        rollsBack(options.spares.rollsBack) {
    turn.Init(eventLoop, [this] { Run(); });
  }

  // Started on the event loop's top level, so that a child has no JavaScript on the stack to return through.
  // Between two forks none runs here at all: each page that it wrote to would have to be copied.
  void Run() {
    turn.Stop();
    ServeLoop::Outcome outcome = loop.Run();
    if (std::holds_alternative<ServeLoop::Over>(outcome)) return onEnd();
    if (auto* serve = std::get_if<ServeLoop::Serve>(&outcome)) {
      Take(std::move(serve->client));
      onChild(served.fd);
    } else {
      uv_set_process_title("truefork: idle");
      if (rollsBack)
        worker::AwaitAndRollBack();
      else
        onChild(-1);
    }
  }

  // In a child that was forked ahead of its connections, or comes back for another.
  void RunWorker(const Handoff& handoff) {
    Take({handoff.fd, handoff.id, handoff.peer, handoff.local, handoff.peer.Text()});
    onConnection(served.fd);
  }

  void Take(Connection&& connection) {
    served = std::move(connection);
    SetTitle(served);
  }

  ServeLoop loop;
  Callback onChild;
  Callback onConnection;
  Callback onServed;
  Callback onEnd;
  bool rollsBack;
  LoopTurn turn;
};

// What makes a fork of JavaScript correct, and cheap. A child that executes a program needs none of it.
void PrepareForks(uv_loop_t* loop, Service* service) {
  worker::Prepare(
      loop, [service](const Handoff& handoff) { service->RunWorker(handoff); },
      [service] { service->onServed(); });
  MakeAddressSpaceCopyable();
  DoWithoutWorkerThreads();  // once, for all children
  SettleMalloc();
  NoteOutOfMemory();
}

ServeLoop::Options OptionsFrom(const Napi::Object& given) {
  ServeLoop::Options options{};
  options.channel = Number(given, "channel");
  options.listeners = ListenersFrom(given);
  options.settings = Number(given, "settings");
  options.program = ProgramFrom(given);
  options.spares.min = Number(given, "spareMin");
  options.spares.max = Number(given, "spareMax");
  options.spares.connectionsPerChild = Number(given, "connectionsPerChild");
  options.isolation = IsolationFrom(given.Get("isolation").As<Napi::Object>());
  options.spares.rollsBack = given.Get("rollback").ToBoolean();
  return options;
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
  ServeLoop::Options options = OptionsFrom(given);
  const bool forks = !options.program;
  const bool rollsBack = options.spares.rollsBack;
  const bool verifies = given.Get("verifiesRollback").ToBoolean();
  const auto gather = [forks, rollsBack, verifies] {
    if (forks && !GatherIntoHugePages()) ExitNow(1);  // the owner starts another zygote
    if (rollsBack) rollback::Prepare(verifies);
  };
  const bool dropsPrivileges = !given.Get("privileges").IsUndefined();
  if (!dropsPrivileges) options.onListening = gather;

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  static auto* service = new Service(given, loop, options);
  ThrowUnlessIsolated(env, service->loop.PrepareIsolation());
  // Clients are queued from here on, and not before: now there is a loop to serve them. On a listener that an
  // earlier zygote has served, this changes nothing.
  const char* failed = nullptr;
  if (!service->loop.Open(&failed)) throw SystemError(env, errno, failed);
  StopDyingWithPeer();
  if (forks) PrepareForks(loop, service);
  service->loop.AwaitSettings();
  if (dropsPrivileges) {
    // Last, because everything above may need the privileges: reading the settings, too.
    gather();
    DropPrivilegesAsked(env, given.Get("privileges"));
  }
  if (const int errnum = service->loop.EnterIsolation())
    ThrowUnlessIsolated(env, {{"what the zygote enters for all children", errnum}});
  service->turn.Start();
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
