#pragma once

#include <napi.h>

namespace truefork {

// sigaction, sigprocmask, sigpending, sigsuspend, pause, kill, killpg, raise, alarm, setitimer, getitimer,
// sleep.
void RegisterSignal(Napi::Env env, Napi::Object exports);

}  // namespace truefork
