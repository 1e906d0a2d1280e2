// What the addon gives to JavaScript. lib/binding/native.ts has the types.
#include <errno.h>
#include <napi.h>

#include "binding/accounts.h"
#include "binding/blocking.h"
#include "binding/config.h"
#include "binding/confine.h"
#include "binding/drop.h"
#include "binding/errors.h"
#include "binding/isolation.h"
#include "binding/listener.h"
#include "binding/multiplex.h"
#include "binding/notify.h"
#include "binding/passwd.h"
#include "binding/posix/posix.h"
#include "binding/serve.h"
#include "binding/socket_traffic.h"
#include "binding/system.h"
#include "binding/trace.h"
#include "child/drain_flag.h"
#include "child/traffic.h"
#include "child/worker.h"
#include "fork/exits.h"
#include "fork/threads.h"
#include "isolation/descriptors.h"
#include "isolation/parent_death.h"
#include "posix/signal_delivery.h"
#include "speed/garbage.h"
#include "support/faults.h"

namespace truefork {

namespace {

int Int(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>().Int32Value(); }

Napi::Value FindUnsafeThreadOf(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(),
                           FindUnsafeThread(Napi::VersionManagement::GetNodeVersion(info.Env())->major));
}

void ArmFault(const Napi::CallbackInfo& info) {
  const std::string wanted = info[0].As<Napi::String>();
  for (int call = 0; call < faults::kCalls; call++) {
    if (wanted != faults::Name(static_cast<faults::Call>(call))) continue;
    faults::Arm(static_cast<faults::Call>(call), Int(info, 1), info[2].As<Napi::Number>().Uint32Value(),
                info[3].As<Napi::Number>().Uint32Value());
    return;
  }
  throw MisuseTypeError(info.Env(), "ERR_TRUEFORK_FAULTS", "no fault can be injected into " + wanted + "()");
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const auto give = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  give("bindListener", BindListener);
  give("bindUnixListener", BindUnixListener);
  give("adoptListener", AdoptListener);
  give("getsockname", GetSockName);
  give("userId", UserId);
  give("groupId", GroupId);
  give("notify", Notify);
  give("monotonicMicros", MonotonicMicros);
  give("getpid", GetPid);
  give("kill", Kill);
  give("close", Close);
  give("isatty", IsATty);
  give("onMainThread",
       [](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), OnMainThread()); });
  give("getrandom", GetRandom);
  give("passOnDescriptors", PassOnDescriptors);
  give("socketPairWithInput", SocketPairWithInput);
  give("processLimit", ProcessLimit);
  give("passwdEntry", PasswdEntry);
  give("reapOrphans", ReapOrphans);

  give("findUnsafeThread", FindUnsafeThreadOf);
  give("collectAllGarbage", [](const Napi::CallbackInfo&) { CollectAllGarbage(); });
  give("dieWithPeer", [](const Napi::CallbackInfo& info) { DieWithPeer(Int(info, 0)); });
  give("prepareExits",
       [](const Napi::CallbackInfo& info) { PrepareExits(info.Env(), info[0].As<Napi::Object>()); });
  give("emitExit", [](const Napi::CallbackInfo& info) {
    const std::optional<int> code = EmitExit();
    return code ? Napi::Number::New(info.Env(), *code) : info.Env().Undefined();
  });
  give("exitAfterReport", [](const Napi::CallbackInfo& info) {
    SampleTraffic();
    return Napi::Boolean::New(info.Env(), ExitAfterReport(Int(info, 0)));
  });
  give("exitNow", [](const Napi::CallbackInfo& info) {
    SampleTraffic();
    ExitNow(Int(info, 0));
  });

  give("sendConfig", SendConfig);
  give("receiveConfig", ReceiveConfig);
  give("serve", Serve);
  give("dropPrivileges", [](const Napi::CallbackInfo& info) { DropPrivilegesAsked(info.Env(), info[0]); });
  give("landlockVersion", LandlockVersion);
  give("moveDescriptorUp", [](const Napi::CallbackInfo& info) {
    // Not higher: a fork copies the table of descriptors up to the highest.
    const int moved = MoveDescriptorUp(Int(info, 0), 256);
    if (moved < 0) throw SystemError(info.Env(), errno, "dup3");
    return Napi::Number::New(info.Env(), moved);
  });
  give("awaitConnection", [](const Napi::CallbackInfo&) { worker::Await(); });
  give("multiplex", Multiplex);
  give("peerWrite", PeerWrite);
  give("peerRead", PeerRead);
  give("peerEnd", PeerEnd);
  give("peerDestroy", PeerDestroy);
  give("peerRelease", PeerRelease);
  give("toldToFinish",
       [](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), DrainFlag::IsSet()); });
  give("describeConnection", DescribeConnection);
  give("prepareBlocking", PrepareBlocking);
  give("readInto", ReadInto);
  give("serveBlocking", ServeBlocking);
  give("writeAll", WriteAll);
  give("watchTraffic", WatchTraffic);
  give("endTraffic", EndTraffic);
  give("ranOutOfMemory", [](const Napi::CallbackInfo&) { traffic::RanOutOfMemory(); });
  give("protocolLayouts", ProtocolLayouts);
  give("armFault", ArmFault);
  give("trace", Trace);
  give("traceMark", TraceMark);

  give("becomeSubreaper", BecomeSubreaper);
  give("reapProcess", ReapProcess);
  give("openTerminal", OpenTerminal);
  give("confineSignals", ConfineSignals);

  exports.Set("posix", PosixCalls(env));
  return exports;
}

}  // namespace

}  // namespace truefork

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return truefork::Init(env, exports); }

NODE_API_MODULE(truefork, InitAddon)
