#pragma once

#include <napi.h>

namespace truefork {

// The numbers of this architecture's headers, by their names. lib/posix/constants.ts has their types.
void RegisterConstants(Napi::Env env, Napi::Object exports);

}  // namespace truefork
