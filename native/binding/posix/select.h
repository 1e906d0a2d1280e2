#pragma once

#include <napi.h>

namespace truefork {

// select with FD_SET and its like, poll.
void RegisterSelect(Napi::Env env, Napi::Object exports);

}  // namespace truefork
