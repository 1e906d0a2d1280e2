#pragma once

#include <napi.h>

namespace truefork {

// bindListener({ host, port, ipv6Only }): socket(2), SO_REUSEADDR, bind(2), for a stream listener; the
// descriptor. It does not listen yet: a client that came now would wait for somebody who may never come.
Napi::Value BindListener(const Napi::CallbackInfo& info);

// { address, family, port } of a bound socket (getsockname(2)).
Napi::Value GetSockName(const Napi::CallbackInfo& info);

}  // namespace truefork
