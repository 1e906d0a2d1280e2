// The bytes of a connection that Node's own socket carries, counted for its slot without a word from the
// script.
#pragma once

#include <napi.h>

namespace truefork {

// watchTraffic(handle): from now on its counts are looked at each time before the event loop sleeps.
Napi::Value WatchTraffic(const Napi::CallbackInfo& info);

// endTraffic(bytesRead, bytesWritten): the socket is closed, and these were its last counts.
Napi::Value EndTraffic(const Napi::CallbackInfo& info);

// Looks once more: this process is about to end.
void SampleTraffic();

}  // namespace truefork
