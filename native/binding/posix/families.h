// The calls of truefork/posix, a family to a file. lib/binding/posix.ts has their types; native/posix/ does
// the system work behind those that wait, handle signals or execute.
#pragma once

#include <napi.h>

namespace truefork {

// All families and the constants, as the object that lib/posix/ wraps.
Napi::Object PosixCalls(Napi::Env env);

void ExportConstants(Napi::Object exports);  // the numbers of this architecture's headers
void ExportSockets(Napi::Object exports);
void ExportIo(Napi::Object exports);
void ExportSelect(Napi::Object exports);
void ExportProcess(Napi::Object exports);
void ExportFork(Napi::Object exports);
void ExportWait(Napi::Object exports);
void ExportSignals(Napi::Object exports);

}  // namespace truefork
