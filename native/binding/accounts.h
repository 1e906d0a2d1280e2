// The user and group databases.
#pragma once

#include <napi.h>

namespace truefork {

// userId(name), groupId(name): the number of a user or group (getpwnam(3), getgrnam(3)); undefined where
// there is none of that name.
Napi::Value UserId(const Napi::CallbackInfo& info);
Napi::Value GroupId(const Napi::CallbackInfo& info);

// passwdEntry(uid): { name, gid, home } of a user (getpwuid(3)); undefined where there is none.
Napi::Value PasswdEntry(const Napi::CallbackInfo& info);

}  // namespace truefork
