// What the grader needs of the system around a server that may misbehave in every way: process-wide
// settings of the grader, and of the launcher that becomes the server.
#pragma once

#include <napi.h>

namespace truefork {

// becomeSubreaper(): orphans of all descendants become children of this process (prctl(2)).
void BecomeSubreaper(const Napi::CallbackInfo& info);

// reapProcess(pid): true if that child was a zombie and is gone now.
Napi::Value ReapProcess(const Napi::CallbackInfo& info);

// openTerminal(): [master, slave], both close-on-exec.
Napi::Value OpenTerminal(const Napi::CallbackInfo& info);

// confineSignals(): this thread, and the program that it executes, can reach no stranger by a signal.
// kill(-1) ends the process by SIGSYS. It also dies with its parent. Cannot be undone.
void ConfineSignals(const Napi::CallbackInfo& info);

}  // namespace truefork
