#include "binding/posix/posix.h"

#include "binding/posix/constants.h"
#include "binding/posix/fork.h"
#include "binding/posix/io.h"
#include "binding/posix/process.h"
#include "binding/posix/select.h"
#include "binding/posix/signal.h"
#include "binding/posix/socket.h"
#include "binding/posix/wait.h"

namespace truefork {

Napi::Object PosixCalls(Napi::Env env) {
  Napi::Object calls = Napi::Object::New(env);
  RegisterConstants(env, calls);
  RegisterSocket(env, calls);
  RegisterIo(env, calls);
  RegisterSelect(env, calls);
  RegisterProcess(env, calls);
  RegisterFork(env, calls);
  RegisterWait(env, calls);
  RegisterSignal(env, calls);
  return calls;
}

}  // namespace truefork
