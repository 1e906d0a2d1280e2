// What the addon exports to JavaScript. lib/binding/native.ts has the types.
#include <napi.h>

#include "binding/accounts.h"
#include "binding/blocking.h"
#include "binding/config.h"
#include "binding/confine.h"
#include "binding/drop.h"
#include "binding/exits.h"
#include "binding/exports.h"
#include "binding/faults.h"
#include "binding/forking.h"
#include "binding/isolation.h"
#include "binding/listener.h"
#include "binding/multiplex.h"
#include "binding/notify.h"
#include "binding/posix/families.h"
#include "binding/serve.h"
#include "binding/socket_traffic.h"
#include "binding/speed.h"
#include "binding/system.h"
#include "binding/trace.h"

namespace truefork {

namespace {

constexpr Export kExports[] = {
    // The system
    {"getpid", GetPid},
    {"kill", Kill},
    {"close", Close},
    {"isatty", IsATty},
    {"onMainThread", IsOnMainThread},
    {"getrandom", GetRandom},
    {"passOnDescriptors", PassOnDescriptors},
    {"socketPairWithInput", SocketPairWithInput},
    {"reapOrphans", ReapOrphans},
    {"userId", UserId},
    {"groupId", GroupId},
    {"passwdEntry", PasswdEntry},
    {"notify", Notify},
    {"monotonicMicros", MonotonicMicros},
    {"armFault", ArmFault},

    // Listeners
    {"bindListener", BindListener},
    {"bindUnixListener", BindUnixListener},
    {"adoptListener", AdoptListener},
    {"getsockname", GetSockName},

    // A process that forks, and its children
    {"findUnsafeThread", FindUnsafeThread},
    {"dieWithPeer", WatchPeer},
    {"prepareExits", PrepareExitEvents},
    {"emitExit", EmitExitEvent},
    {"exitAfterReport", ExitAfterUncaught},
    {"exitNow", ExitProcess},
    {"awaitConnection", AwaitConnection},
    {"toldToFinish", IsDraining},
    {"ranOutOfMemory", NoteOutOfMemoryOfScript},

    // Measures for speed
    {"speedIsOn", SpeedIsOn},
    {"speedNames", SpeedNames},
    {"unknownSpeedSwitch", UnknownSpeedSwitch},
    {"collectAllGarbage", CollectGarbage},

    // Servers
    {"sendConfig", SendConfig},
    {"receiveConfig", ReceiveConfig},
    {"dropPrivileges", DropPrivilegesFor},
    {"landlockVersion", LandlockVersion},
    {"moveDescriptorUp", MoveUp},
    {"serve", Serve},
    {"describeConnection", DescribeConnection},
    {"prepareBlocking", PrepareBlocking},
    {"readInto", ReadInto},
    {"serveBlocking", ServeBlocking},
    {"writeAll", WriteAll},
    {"multiplex", Multiplex},
    {"peerWrite", PeerWrite},
    {"peerRead", PeerRead},
    {"peerEnd", PeerEnd},
    {"peerDestroy", PeerDestroy},
    {"peerRelease", PeerRelease},
    {"watchTraffic", WatchTraffic},
    {"endTraffic", EndTraffic},
    {"protocolLayouts", ProtocolLayouts},

    // The tracer
    {"trace", Trace},
    {"traceLocation", TraceLocation},

    // A program under test
    {"becomeSubreaper", BecomeSubreaper},
    {"reapProcess", ReapProcess},
    {"openTerminal", OpenTerminal},
    {"confineSignals", ConfineSignals},
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  ExportTable(exports, kExports);
  exports.Set("posix", PosixCalls(env));
  return exports;
}

}  // namespace

}  // namespace truefork

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return truefork::Init(env, exports); }

NODE_API_MODULE(truefork, InitAddon)
