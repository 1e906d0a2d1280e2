#include "fork/fork.h"

#include <errno.h>
#include <uv.h>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/forking.h"
#include "binding/posix/families.h"
#include "fork/address_space.h"
#include "fork/fuse.h"
#include "posix/signal_delivery.h"

namespace truefork {

namespace {

std::string FuseMessage(const FuseLimits& limits, Fuse fuse) {
  if (fuse == Fuse::TooDeep) {
    return "fork: the fork fuse: this process is " + std::to_string(limits.generations) +
           " generations below the script's first one. If that is what you want, allow more by "
           "TRUEFORK_MAX_GENERATIONS=n in the environment, truefork run --max-generations n, or "
           "setForkFuse()";
  }
  return "fork: the fork fuse: this script has " + std::to_string(limits.descendants) +
         " live descendants. If that is what you want, allow more by TRUEFORK_MAX_DESCENDANTS=n in the "
         "environment, "
         "truefork run --max-descendants n, or setForkFuse()";
}

Napi::Value ForkProcess(const Napi::CallbackInfo& info) {
  const Args args(info);
  const FuseLimits limits{args.Unsigned(0, "maxDescendants"), args.Unsigned(1, "maxGenerations")};
  MakeAddressSpaceCopyable();
  // Last, for what has just run may have given a thread work, and some threads are woken by the clock.
  const std::string unsafe = UnsafeThread(args.env());
  if (!unsafe.empty()) return Napi::String::New(args.env(), unsafe);
  const Fuse fuse = TakePlace(limits);
  if (fuse != Fuse::Holds) throw MisuseError(args.env(), "ERR_TRUEFORK_FUSE", FuseMessage(limits, fuse));

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(args.env(), &loop);
  const pid_t pid = Fork(loop, [] {
    EnterNextGeneration();
    SignalsAfterFork();
  });
  if (pid > 0) GivePlaceTo(pid);
  if (pid < 0) {
    const int errnum = errno;
    GivePlaceBack();
    throw SystemError(args.env(), errnum, "fork");
  }
  return Napi::Number::New(args.env(), pid);
}

}  // namespace

void ExportFork(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"fork", ForkProcess},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
