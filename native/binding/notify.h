#pragma once

#include <napi.h>

namespace truefork {

// notify(socket, text): one datagram to a Unix socket, a path or an abstract name that begins with @ or NUL,
// as sd_notify(3) sends it. Throws where nobody takes it; waits for nobody.
Napi::Value Notify(const Napi::CallbackInfo& info);

// monotonicMicros(): CLOCK_MONOTONIC (clock_gettime(2)), which the service manager goes by.
Napi::Value MonotonicMicros(const Napi::CallbackInfo& info);

}  // namespace truefork
