#pragma once

#include <napi.h>

namespace truefork {

// socket, bind, listen, accept, connect, getsockname, getpeername, getsockopt, setsockopt, shutdown, send,
// recv.
void RegisterSocket(Napi::Env env, Napi::Object exports);

}  // namespace truefork
