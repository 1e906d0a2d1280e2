#pragma once

#include <napi.h>

namespace truefork {

// _exit, execve, execvp, the ids of processes, users and groups, setsid, getrlimit, setrlimit, nice.
void RegisterProcess(Napi::Env env, Napi::Object exports);

}  // namespace truefork
