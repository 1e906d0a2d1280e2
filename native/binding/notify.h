#pragma once

#include <napi.h>

namespace truefork {

// notify(socket, text): sends one datagram to a Unix socket, as sd_notify(3) does. The socket is a path, or
// an abstract name that begins with @ or NUL. Throws where the datagram cannot be sent at once.
void Notify(const Napi::CallbackInfo& info);

// monotonicMicros(): CLOCK_MONOTONIC (clock_gettime(2)), the service manager's clock.
Napi::Value MonotonicMicros(const Napi::CallbackInfo& info);

}  // namespace truefork
