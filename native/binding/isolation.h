// The isolation of children, as JavaScript asks for it and hears of it.
#pragma once

#include <napi.h>

#include "server/child_isolation.h"

namespace truefork {

// { leftovers: boolean, scope: 0 | 1 | 2, sandbox?: { read, write, network?, maxFileSize?, maxProcesses?,
// uids?, bestEffort } }: all of server/child_isolation.h. `scope` is ConfinementRules::Scope.
ChildIsolation::Options IsolationFrom(const Napi::Object& given);

// Throws ERR_TRUEFORK_ISOLATION, which names each part that was required and does not hold.
void ThrowUnlessIsolated(Napi::Env env, const std::vector<Failure>& failures);

// landlockVersion(): the version of the kernel's Landlock; or a negative errno, why there is none.
Napi::Value LandlockVersion(const Napi::CallbackInfo& info);

// moveDescriptorUp(fd): moves it to a high free number with FD_CLOEXEC, which it returns.
Napi::Value MoveUp(const Napi::CallbackInfo& info);

}  // namespace truefork
