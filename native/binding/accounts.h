#pragma once

#include <napi.h>

namespace truefork {

// userId(name), groupId(name): the number that a user or group has here (getpwnam(3), getgrnam(3)); undefined
// where there is none of that name.
Napi::Value UserId(const Napi::CallbackInfo& info);
Napi::Value GroupId(const Napi::CallbackInfo& info);

}  // namespace truefork
