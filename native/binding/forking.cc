#include "binding/forking.h"

#include "child/drain_flag.h"
#include "child/traffic.h"
#include "child/worker.h"
#include "fork/threads.h"
#include "isolation/parent_death.h"

namespace truefork {

std::string UnsafeThread(Napi::Env env) {
  return FindUnsafeThread(static_cast<int>(Napi::VersionManagement::GetNodeVersion(env)->major));
}

Napi::Value FindUnsafeThread(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), UnsafeThread(info.Env()));
}

void WatchPeer(const Napi::CallbackInfo& info) { DieWithPeer(info[0].As<Napi::Number>().Int32Value()); }

void AwaitConnection(const Napi::CallbackInfo&) { worker::Await(); }

Napi::Value IsDraining(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), DrainFlag::IsSet());
}

void NoteOutOfMemoryOfScript(const Napi::CallbackInfo&) { traffic::RanOutOfMemory(); }

}  // namespace truefork
