// The measures for speed that JavaScript takes part in (native/speed).
#pragma once

#include <napi.h>

namespace truefork {

// speedIsOn(name): whether TRUEFORK_SPEED leaves a measure on.
Napi::Value SpeedIsOn(const Napi::CallbackInfo& info);

// speedNames(): the names that TRUEFORK_SPEED knows; unknownSpeedSwitch(): its first entry that is none of
// them, or "".
Napi::Value SpeedNames(const Napi::CallbackInfo& info);
Napi::Value UnknownSpeedSwitch(const Napi::CallbackInfo& info);

// collectAllGarbage(): a full collection, after which V8 gives back the memory that it can spare.
void CollectGarbage(const Napi::CallbackInfo& info);

}  // namespace truefork
