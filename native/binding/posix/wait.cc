#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/posix/families.h"
#include "binding/posix/timeval.h"
#include "posix/waiting_calls.h"

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
Napi::Value Wait(const Napi::CallbackInfo& info) {
  const Args args(info);
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
  const pid_t ended = Wait4(pid, &status, options, &usage);
  if (ended < 0 && errno != ECHILD) throw SystemError(env, errno, "waitpid");
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", static_cast<double>(ended));
  result.Set("status", status);
  if (info[2].ToBoolean()) result.Set("rusage", Describe(env, usage));
  return result;
}

// The macros of <sys/wait.h> as functions of JavaScript.
template <auto macro>
Napi::Value OfStatus(const Napi::CallbackInfo& info) {
  return Napi::Value::From(info.Env(), macro(Args(info).Int(0, "status")));
}

bool IfExited(int status) { return WIFEXITED(status); }
int ExitStatus(int status) { return WEXITSTATUS(status); }
bool IfSignaled(int status) { return WIFSIGNALED(status); }
int TermSig(int status) { return WTERMSIG(status); }
bool CoreDump(int status) { return WCOREDUMP(status); }
bool IfStopped(int status) { return WIFSTOPPED(status); }
int StopSig(int status) { return WSTOPSIG(status); }
bool IfContinued(int status) { return WIFCONTINUED(status); }

}  // namespace

void ExportWait(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"wait4", Wait},
      {"WIFEXITED", OfStatus<IfExited>},
      {"WEXITSTATUS", OfStatus<ExitStatus>},
      {"WIFSIGNALED", OfStatus<IfSignaled>},
      {"WTERMSIG", OfStatus<TermSig>},
      {"WCOREDUMP", OfStatus<CoreDump>},
      {"WIFSTOPPED", OfStatus<IfStopped>},
      {"WSTOPSIG", OfStatus<StopSig>},
      {"WIFCONTINUED", OfStatus<IfContinued>},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
