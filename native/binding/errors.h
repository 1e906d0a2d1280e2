// errno to the Error that Node itself would throw, in one place.
#pragma once

#include <napi.h>

#include <string>

namespace truefork {

// An Error with code ('EADDRINUSE'), errno (negative, as in Node) and syscall.
Napi::Error SystemError(Napi::Env env, int errnum, const char* syscall);

// The same, for a call about an address: it also carries address and, if not negative, port.
Napi::Error SystemError(Napi::Env env, int errnum, const char* syscall, const std::string& address, int port);

// Misuse of this library: a TypeError or Error with an ERR_TRUEFORK_ code; the message says what to do.
Napi::Error MisuseError(Napi::Env env, const char* code, const std::string& message);
Napi::TypeError MisuseTypeError(Napi::Env env, const char* code, const std::string& message);

}  // namespace truefork
