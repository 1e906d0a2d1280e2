#pragma once

#include <napi.h>

namespace truefork {

// wait4 and the macros that take a status apart.
void RegisterWait(Napi::Env env, Napi::Object exports);

}  // namespace truefork
