#pragma once

#include <napi.h>

namespace truefork {

// fork(maxDescendants, maxGenerations): the caller has made sure that the process is fit, and prepared.
void RegisterFork(Napi::Env env, Napi::Object exports);

}  // namespace truefork
