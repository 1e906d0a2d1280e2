#pragma once

#include <napi.h>

namespace truefork {

// dropPrivileges({ user, group, groups, root, folder, umask, noNewPrivs }): all of fork/privileges.h, each
// part optional. Throws ERR_TRUEFORK_PRIVILEGES where it did not come to pass: the process must not serve
// then.
void DropPrivilegesFor(const Napi::CallbackInfo& info);
void DropPrivilegesAsked(Napi::Env env, Napi::Value wanted);

}  // namespace truefork
