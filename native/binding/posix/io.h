#pragma once

#include <napi.h>

namespace truefork {

// read, write, close, pipe, dup, dup2, fcntl.
void RegisterIo(Napi::Env env, Napi::Object exports);

}  // namespace truefork
