#pragma once

#include <napi.h>

namespace truefork {

// prepareExits({ nothingLeft, beforeExit, exit }): what a forked child calls at its natural end, in this
// order (fork/exits.h). Once, before the first fork, so that no child looks a function up by its name.
void PrepareExitEvents(const Napi::CallbackInfo& info);

// emitExit(): emits 'exit'; the exit code, or undefined where this Node gives no way to do so.
Napi::Value EmitExitEvent(const Napi::CallbackInfo& info);

// exitAfterReport(code): Node prints the exception that nothing caught, and the process exits with the code.
// False where this Node gives no way to do so.
Napi::Value ExitAfterUncaught(const Napi::CallbackInfo& info);

// exitNow(code): _exit(2).
void ExitProcess(const Napi::CallbackInfo& info);

}  // namespace truefork
