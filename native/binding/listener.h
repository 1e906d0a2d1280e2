// The sockets that a server listens on, as its owner makes them.
#pragma once

#include <napi.h>

namespace truefork {

// bindListener({ host, port, ipv6Only, noDelay, keepAlive, keepAliveSeconds, deferSeconds }): socket(2),
// SO_REUSEADDR, bind(2), for a stream listener; the descriptor. It does not listen yet: a client that came
// now would wait for somebody who may never come. The options of tcp(7) pass from it to each connection.
Napi::Value BindListener(const Napi::CallbackInfo& info);

// bindUnixListener(path): the same on a path, or on an abstract name, which begins with NUL. A socket that a
// dead server has left there makes room, a live one's never.
Napi::Value BindUnixListener(const Napi::CallbackInfo& info);

// adoptListener(fd): a descriptor that somebody else has bound. Makes it fit for a loop, and tells whether it
// listens already. Throws ENOTSOCK, or EINVAL for what is no stream socket of a family that is served here.
Napi::Value AdoptListener(const Napi::CallbackInfo& info);

// { address, family, port } of a bound socket (getsockname(2)).
Napi::Value GetSockName(const Napi::CallbackInfo& info);

}  // namespace truefork
