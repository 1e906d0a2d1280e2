#include "binding/speed.h"

#include "speed/garbage.h"
#include "speed/switches.h"

namespace truefork {

Napi::Value SpeedIsOn(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), speed::IsOn(info[0].As<Napi::String>().Utf8Value()));
}

Napi::Value SpeedNames(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), speed::Names());
}

Napi::Value UnknownSpeedSwitch(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), speed::UnknownSwitch());
}

void CollectGarbage(const Napi::CallbackInfo&) { CollectAllGarbage(); }

}  // namespace truefork
