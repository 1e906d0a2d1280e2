#include "binding/posix/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <limits>

#include "binding/args.h"
#include "binding/errors.h"
#include "posix/signal_delivery.h"
#include "support/libc.h"

namespace truefork {

namespace {

constexpr uint32_t kMostGroups = 65536;  // NGROUPS_MAX of Linux

Napi::Value Number(const Args& args, double value) { return Napi::Number::New(args.env(), value); }

void Exit(const Napi::CallbackInfo& info) {
  const Args args(info, "_exit");
  _exit(args.Int(0, "status"));
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Node marks its standard streams FD_CLOEXEC at start. A program that is executed expects to have them.
class StandardStreamsForExec {
 public:
  StandardStreamsForExec() {
    for (int fd = 0; fd < kCount; fd++) {
      before_[fd] = fcntl(fd, F_GETFD);
      if (before_[fd] >= 0) fcntl(fd, F_SETFD, before_[fd] & ~FD_CLOEXEC);
    }
  }
  ~StandardStreamsForExec() {
    const int saved = errno;
    for (int fd = 0; fd < kCount; fd++) {
      if (before_[fd] >= 0) fcntl(fd, F_SETFD, before_[fd]);
    }
    errno = saved;
  }
  StandardStreamsForExec(const StandardStreamsForExec&) = delete;
  StandardStreamsForExec& operator=(const StandardStreamsForExec&) = delete;

 private:
  static constexpr int kCount = 3;
  int before_[kCount];
};

// execve(path, argv, envp). Returns by an exception, or not at all.
template <auto call>
void Exec(const Napi::CallbackInfo& info, const char* name) {
  const Args args(info, name);
  const std::string path = args.String(0, "path");
  const std::vector<std::string> argv = args.Strings(1, "argv");
  const std::vector<std::string> envp = args.Strings(2, "envp");
  if (argv.empty()) throw args.OutOfRange("argv", "at least the name of the program");
  RunPendingHandlers(args.env());
  fflush(nullptr);
  {
    SignalsForExec signals;
    StandardStreamsForExec streams;
    call(path.c_str(), Pointers(argv).data(), Pointers(envp).data());
  }
  const int errnum = errno;
  Napi::Error error = SystemError(args.env(), errnum, name);
  error.Value().Set("path", path);
  throw error;
}

void ExecVe(const Napi::CallbackInfo& info) { Exec<execve>(info, "execve"); }
void ExecVpe(const Napi::CallbackInfo& info) { Exec<execvpe>(info, "execvp"); }

template <auto call>
void GiveId(Napi::Object exports, const char* name) {
  Give(exports, name,
       [](const Napi::CallbackInfo& info) -> Napi::Value { return Napi::Number::New(info.Env(), call()); });
}

Napi::Value SetSid(const Napi::CallbackInfo& info) {
  const Args args(info, "setsid");
  return Number(args, Checked(args, setsid()));
}

Napi::Value GetSid(const Napi::CallbackInfo& info) {
  const Args args(info, "getsid");
  return Number(args, Checked(args, getsid(args.IntOr(0, "pid", 0))));
}

void SetPgid(const Napi::CallbackInfo& info) {
  const Args args(info, "setpgid");
  const int pid = args.Int(0, "pid");
  Checked(args, setpgid(pid, args.Int(1, "pgid")));
}

Napi::Value GetPgid(const Napi::CallbackInfo& info) {
  const Args args(info, "getpgid");
  return Number(args, Checked(args, getpgid(args.Int(0, "pid"))));
}

// glibc changes the credentials of every thread: of Node's as well.
void SetUid(const Napi::CallbackInfo& info) {
  const Args args(info, "setuid");
  Checked(args, setuid(args.Unsigned(0, "uid")));
}

void SetGid(const Napi::CallbackInfo& info) {
  const Args args(info, "setgid");
  Checked(args, setgid(args.Unsigned(0, "gid")));
}

void SetGroups(const Napi::CallbackInfo& info) {
  const Args args(info, "setgroups");
  const Napi::Array list = args.Array(0, "groups", kMostGroups);
  std::vector<gid_t> groups;
  for (uint32_t i = 0; i < list.Length(); i++) groups.push_back(args.UnsignedOf(list.Get(i), "groups"));
  Checked(args, setgroups(groups.size(), groups.data()));
}

Napi::Value GetGroups(const Napi::CallbackInfo& info) {
  const Args args(info, "getgroups");
  std::vector<gid_t> groups(Checked(args, getgroups(0, nullptr)));
  groups.resize(Checked(args, getgroups(static_cast<int>(groups.size()), groups.data())));
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
  const Args args(info, "getrlimit");
  rlimit limit{};
  Checked(args, getrlimit(static_cast<RLimitResource>(args.Int(0, "resource")), &limit));
  Napi::Object object = Napi::Object::New(args.env());
  object.Set("rlim_cur", LimitToNumber(limit.rlim_cur));
  object.Set("rlim_max", LimitToNumber(limit.rlim_max));
  return object;
}

void SetRLimit(const Napi::CallbackInfo& info) {
  const Args args(info, "setrlimit");
  const int resource = args.Int(0, "resource");
  const Napi::Object given = args.Object(1, "rlim");
  const rlimit limit{LimitFrom(args, given.Get("rlim_cur"), "rlim_cur"),
                     LimitFrom(args, given.Get("rlim_max"), "rlim_max")};
  Checked(args, setrlimit(static_cast<RLimitResource>(resource), &limit));
}

Napi::Value Nice(const Napi::CallbackInfo& info) {
  const Args args(info, "nice");
  errno = 0;  // -1 is a priority as well
  const int priority = nice(args.Int(0, "inc"));
  if (priority == -1 && errno != 0) throw SystemError(args.env(), errno, "nice");
  return Number(args, priority);
}

}  // namespace

void RegisterProcess(Napi::Env, Napi::Object exports) {
  Give(exports, "_exit", Exit);
  Give(exports, "execve", ExecVe);
  Give(exports, "execvp", ExecVpe);
  GiveId<getpid>(exports, "getpid");
  GiveId<getppid>(exports, "getppid");
  GiveId<getpgrp>(exports, "getpgrp");
  GiveId<getuid>(exports, "getuid");
  GiveId<geteuid>(exports, "geteuid");
  GiveId<getgid>(exports, "getgid");
  GiveId<getegid>(exports, "getegid");
  Give(exports, "setsid", SetSid);
  Give(exports, "getsid", GetSid);
  Give(exports, "setpgid", SetPgid);
  Give(exports, "getpgid", GetPgid);
  Give(exports, "setuid", SetUid);
  Give(exports, "setgid", SetGid);
  Give(exports, "setgroups", SetGroups);
  Give(exports, "getgroups", GetGroups);
  Give(exports, "getrlimit", GetRLimit);
  Give(exports, "setrlimit", SetRLimit);
  Give(exports, "nice", Nice);
}

}  // namespace truefork
