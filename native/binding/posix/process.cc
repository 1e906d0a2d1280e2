#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <limits>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/posix/families.h"
#include "posix/exec.h"
#include "posix/signal_delivery.h"
#include "support/libc.h"

namespace truefork {

namespace {

constexpr uint32_t kMostGroups = 65536;  // NGROUPS_MAX of Linux

void Exit(const Napi::CallbackInfo& info) {
  const Args args(info);
  _exit(args.Int(0, "status"));
}

// execve(path, argv, envp). Throws, or does not return.
template <ExecCall call>
void Exec(const Napi::CallbackInfo& info) {
  const Args args(info);
  const std::string path = args.String(0, "path");
  const std::vector<std::string> argv = args.Strings(1, "argv");
  const std::vector<std::string> envp = args.Strings(2, "envp");
  if (argv.empty()) throw args.OutOfRange("argv", "at least the name of the program");
  RunPendingHandlers();
  Napi::Error error = SystemError(args.env(), Execute(call, path, argv, envp), args.call());
  error.Value().Set("path", path);
  throw error;
}

template <auto call>
Napi::Value Id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), call());
}

Napi::Value SetSid(const Napi::CallbackInfo& info) {
  const Args args(info);
  return args.Result(setsid());
}

Napi::Value GetSid(const Napi::CallbackInfo& info) {
  const Args args(info);
  return args.Result(getsid(args.IntOr(0, "pid", 0)));
}

void SetPgid(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int pid = args.Int(0, "pid");
  args.Checked(setpgid(pid, args.Int(1, "pgid")));
}

Napi::Value GetPgid(const Napi::CallbackInfo& info) {
  const Args args(info);
  return args.Result(getpgid(args.Int(0, "pid")));
}

// glibc changes the credentials of every thread: of Node's as well.
void SetUid(const Napi::CallbackInfo& info) {
  const Args args(info);
  args.Checked(setuid(args.Unsigned(0, "uid")));
}

void SetGid(const Napi::CallbackInfo& info) {
  const Args args(info);
  args.Checked(setgid(args.Unsigned(0, "gid")));
}

void SetGroups(const Napi::CallbackInfo& info) {
  const Args args(info);
  const Napi::Array list = args.Array(0, "groups", kMostGroups);
  std::vector<gid_t> groups;
  for (uint32_t i = 0; i < list.Length(); i++) groups.push_back(args.UnsignedOf(list.Get(i), "groups"));
  args.Checked(setgroups(groups.size(), groups.data()));
}

Napi::Value GetGroups(const Napi::CallbackInfo& info) {
  const Args args(info);
  std::vector<gid_t> groups(args.Checked(getgroups(0, nullptr)));
  groups.resize(args.Checked(getgroups(static_cast<int>(groups.size()), groups.data())));
  Napi::Array list = Napi::Array::New(args.env(), groups.size());
  for (uint32_t i = 0; i < groups.size(); i++) list.Set(i, groups[i]);
  return list;
}

double LimitToNumber(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit);
}

rlim_t LimitFrom(const Args& args, Napi::Value value, const char* name) {
  const bool none =
      value.IsNumber() && value.As<Napi::Number>().DoubleValue() == std::numeric_limits<double>::infinity();
  constexpr double kExact = 9007199254740991;  // Number.MAX_SAFE_INTEGER
  return none ? RLIM_INFINITY : static_cast<rlim_t>(args.NumberOf(value, name, 0, kExact));
}

Napi::Value GetRLimit(const Napi::CallbackInfo& info) {
  const Args args(info);
  rlimit limit{};
  args.Checked(getrlimit(static_cast<RLimitResource>(args.Int(0, "resource")), &limit));
  Napi::Object object = Napi::Object::New(args.env());
  object.Set("rlim_cur", LimitToNumber(limit.rlim_cur));
  object.Set("rlim_max", LimitToNumber(limit.rlim_max));
  return object;
}

void SetRLimit(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int resource = args.Int(0, "resource");
  const Napi::Object given = args.Object(1, "rlim");
  const rlimit limit{LimitFrom(args, given.Get("rlim_cur"), "rlim_cur"),
                     LimitFrom(args, given.Get("rlim_max"), "rlim_max")};
  args.Checked(setrlimit(static_cast<RLimitResource>(resource), &limit));
}

Napi::Value Nice(const Napi::CallbackInfo& info) {
  const Args args(info);
  errno = 0;  // -1 is a priority as well
  const int priority = nice(args.Int(0, "inc"));
  if (priority == -1 && errno != 0) throw SystemError(args.env(), errno, "nice");
  return Napi::Number::New(args.env(), priority);
}

}  // namespace

void ExportProcess(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"_exit", Exit},          {"execve", Exec<execve>}, {"execvp", Exec<execvpe>}, {"getpid", Id<getpid>},
      {"getppid", Id<getppid>}, {"getpgrp", Id<getpgrp>}, {"getuid", Id<getuid>},    {"geteuid", Id<geteuid>},
      {"getgid", Id<getgid>},   {"getegid", Id<getegid>}, {"setsid", SetSid},        {"getsid", GetSid},
      {"setpgid", SetPgid},     {"getpgid", GetPgid},     {"setuid", SetUid},        {"setgid", SetGid},
      {"setgroups", SetGroups}, {"getgroups", GetGroups}, {"getrlimit", GetRLimit},  {"setrlimit", SetRLimit},
      {"nice", Nice},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
