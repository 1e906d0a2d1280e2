// The system calls of truefork/posix, a family to a file.
#pragma once

#include <napi.h>

namespace truefork {

Napi::Object PosixCalls(Napi::Env env);

}  // namespace truefork
