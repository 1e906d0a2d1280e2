#include "binding/exits.h"

#include "binding/callback.h"
#include "binding/socket_traffic.h"
#include "fork/exits.h"
#include "support/no_destructor.h"

namespace truefork {

namespace {

struct Events {
  Callback nothingLeft;
  Callback beforeExit;
  Callback exit;
};

NoDestructor<Events> events;

int Code(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Int32Value(); }

}  // namespace

void PrepareExitEvents(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Object>();
  events->nothingLeft = Callback(given, "nothingLeft");
  events->beforeExit = Callback(given, "beforeExit");
  events->exit = Callback(given, "exit");
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(info.Env(), &loop);
  PrepareExits(loop, {[] { events->nothingLeft(); }, [] { events->beforeExit(); }, [] { events->exit(); }});
}

Napi::Value EmitExitEvent(const Napi::CallbackInfo& info) {
  const std::optional<int> code = EmitExit();
  return code ? Napi::Number::New(info.Env(), *code) : info.Env().Undefined();
}

Napi::Value ExitAfterUncaught(const Napi::CallbackInfo& info) {
  SampleTraffic();
  return Napi::Boolean::New(info.Env(), ExitAfterReport(Code(info)));
}

void ExitProcess(const Napi::CallbackInfo& info) {
  SampleTraffic();
  ExitNow(Code(info));
}

}  // namespace truefork
