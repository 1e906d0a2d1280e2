#include "binding/posix/wait.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "binding/args.h"
#include "binding/errors.h"
#include "posix/signal_delivery.h"
#include "posix/time.h"

namespace truefork {

namespace {

Napi::Object Describe(Napi::Env env, const rusage& usage) {
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&](const char* name, long value) { object.Set(name, static_cast<double>(value)); };
  object.Set("ru_utime", TimevalToObject(env, usage.ru_utime));
  object.Set("ru_stime", TimevalToObject(env, usage.ru_stime));
  set("ru_maxrss", usage.ru_maxrss);
  set("ru_minflt", usage.ru_minflt);
  set("ru_majflt", usage.ru_majflt);
  set("ru_inblock", usage.ru_inblock);
  set("ru_oublock", usage.ru_oublock);
  set("ru_nvcsw", usage.ru_nvcsw);
  set("ru_nivcsw", usage.ru_nivcsw);
  return object;
}

// wait4(pid, options, wantsRusage): { pid, status, rusage? }; pid is -1 when there is no child to wait for.
Napi::Value Wait4(const Napi::CallbackInfo& info) {
  const Args args(info, "wait4");
  Napi::Env env = args.env();
  const int pid = args.Int(0, "pid");
  const int options = args.IntOr(1, "options", 0);
  if ((pid == -1 || pid == 0) && ChildSignalIsLibuvs()) {
    throw MisuseError(
        env, "ERR_TRUEFORK_CHILD_PROCESS",
        "waitpid: children of node:child_process are running, and waiting for any child would take their "
        "exits from Node. Wait for your own children by their pid, or for their process group");
  }
  int status = 0;
  rusage usage{};
  long ended;
  if ((options & WNOHANG) != 0) {
    ended = wait4(pid, &status, options, &usage);
  } else {
    ended = Interruptible(env, OnHandler::MayRestart, [&](bool mayWait) -> long {
      const pid_t found = wait4(pid, &status, mayWait ? options : options | WNOHANG, &usage);
      if (found == 0) errno = EINTR;
      return found == 0 ? -1 : found;
    });
  }
  if (ended < 0 && errno != ECHILD) throw SystemError(env, errno, "waitpid");
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", static_cast<double>(ended));
  result.Set("status", status);
  if (info[2].ToBoolean()) result.Set("rusage", Describe(env, usage));
  return result;
}

// The macros of <sys/wait.h> as functions of JavaScript: `read` is one of them applied to the status.
template <typename Read>
void GiveMacro(Napi::Object exports, const char* name, Read read) {
  Give(exports, name, [name, read](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Value::From(info.Env(), read(Args(info, name).Int(0, "status")));
  });
}

}  // namespace

void RegisterWait(Napi::Env, Napi::Object exports) {
  Give(exports, "wait4", Wait4);
  GiveMacro(exports, "WIFEXITED", [](int status) -> bool { return WIFEXITED(status); });
  GiveMacro(exports, "WEXITSTATUS", [](int status) -> int { return WEXITSTATUS(status); });
  GiveMacro(exports, "WIFSIGNALED", [](int status) -> bool { return WIFSIGNALED(status); });
  GiveMacro(exports, "WTERMSIG", [](int status) -> int { return WTERMSIG(status); });
  GiveMacro(exports, "WCOREDUMP", [](int status) -> bool { return WCOREDUMP(status); });
  GiveMacro(exports, "WIFSTOPPED", [](int status) -> bool { return WIFSTOPPED(status); });
  GiveMacro(exports, "WSTOPSIG", [](int status) -> int { return WSTOPSIG(status); });
  GiveMacro(exports, "WIFCONTINUED", [](int status) -> bool { return WIFCONTINUED(status); });
}

}  // namespace truefork
