#pragma once

#include <napi.h>

namespace truefork {

// passwdEntry(uid): { name, gid, home } of the user database (getpwuid(3)); undefined where it has no such
// user.
Napi::Value PasswdEntry(const Napi::CallbackInfo& info);

}  // namespace truefork
