#include "binding/trace.h"

#include <sys/prctl.h>

#include "binding/args.h"
#include "trace/tracer.h"

namespace truefork {

namespace {

constexpr uint32_t kMostStrings = 1 << 20;

std::vector<std::string> StringsOf(const Args& args, const Napi::Object& options, const char* name) {
  const Napi::Array array = options.Get(name).As<Napi::Array>();
  if (array.Length() > kMostStrings) throw args.OutOfRange(name, "fewer strings");
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(args.StringOf(array.Get(i), name));
  return strings;
}

}  // namespace

void Trace(const Napi::CallbackInfo& info) {
  const Args args(info);
  const Napi::Object given = args.Object(0, "options");
  trace::Options options;
  options.program.arguments = StringsOf(args, given, "command");
  options.program.file = options.program.arguments.at(0);
  options.program.environment = StringsOf(args, given, "environment");
  options.program.folder = args.StringOf(given.Get("folder"), "folder");
  options.program.newSession = given.Get("newSession").ToBoolean();
  options.filter = given.Get("readWrite").ToBoolean() ? trace::Filter::ReadWrite : trace::Filter::LifeCycle;
  options.injections = StringsOf(args, given, "injections");
  options.maxProcesses = args.UnsignedOf(given.Get("maxProcesses"), "maxProcesses");
  options.confineSignals = given.Get("confineSignals").ToBoolean();
  options.addresses = given.Get("addresses").ToBoolean();
  options.dataLength = args.UnsignedOf(given.Get("dataLength"), "dataLength");
  const Napi::Array watched = given.Get("watchedSignals").As<Napi::Array>();
  for (uint32_t i = 0; i < watched.Length(); i++) {
    options.watchedSignals.push_back(args.IntOf(watched.Get(i), "watchedSignals"));
  }
  options.unsafeFunctions = StringsOf(args, given, "unsafeFunctions");
  trace::Tracer(std::move(options), args.Int(1, "socket")).Run();
}

void TraceLocation(const Napi::CallbackInfo& info) {
  const std::string text = Args(info).String(0, "text");
  prctl(static_cast<int>(trace::kLocationCall), text.data(), text.size(), 0, 0);
}

}  // namespace truefork
