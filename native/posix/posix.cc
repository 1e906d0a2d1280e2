#include "posix/posix.h"

#include "posix/constants.h"
#include "posix/fork.h"
#include "posix/io.h"
#include "posix/process.h"
#include "posix/select.h"
#include "posix/signal.h"
#include "posix/socket.h"
#include "posix/wait.h"

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
