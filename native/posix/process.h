#pragma once

#include <napi.h>

namespace truefork {

Napi::Value GetPid(const Napi::CallbackInfo& info);
Napi::Value Kill(const Napi::CallbackInfo& info);
Napi::Value Close(const Napi::CallbackInfo& info);
Napi::Value IsATty(const Napi::CallbackInfo& info);

// getrandom(array): fills it with fresh randomness from the kernel (getrandom(2)).
Napi::Value GetRandom(const Napi::CallbackInfo& info);

// processLimit(): the soft RLIMIT_NPROC (getrlimit(2)); Infinity where there is none.
Napi::Value ProcessLimit(const Napi::CallbackInfo& info);

// reapStrangers([pid, …]): for a process that init's duties fall to. Waits for every ended child that is not
// in the list, which somebody else waits for; the pids that were reaped.
Napi::Value ReapStrangers(const Napi::CallbackInfo& info);

}  // namespace truefork
