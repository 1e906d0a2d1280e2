// What the rest of the library asks of the system. The calls for users, with their checks, are in posix/.
#pragma once

#include <napi.h>

namespace truefork {

Napi::Value GetPid(const Napi::CallbackInfo& info);
void Kill(const Napi::CallbackInfo& info);
void Close(const Napi::CallbackInfo& info);

Napi::Value IsATty(const Napi::CallbackInfo& info);

// getrandom(array): fills it with fresh randomness from the kernel (getrandom(2)).
void GetRandom(const Napi::CallbackInfo& info);

// onMainThread(): false in a Worker.
Napi::Value IsOnMainThread(const Napi::CallbackInfo& info);

// passOnDescriptors(): before another program is executed, which is to have what Node was started with.
void PassOnDescriptors(const Napi::CallbackInfo& info);

// socketPairWithInput(text): [server's end, client's end] of a connection within this process. The client has
// sent the text and shut its direction down.
Napi::Value SocketPairWithInput(const Napi::CallbackInfo& info);

// reapOrphans([pid, …]): for the first process of a container, which adopts every orphan in it. Reaps every
// ended child that is not in the list, which other code waits for; the pids that were reaped.
Napi::Value ReapOrphans(const Napi::CallbackInfo& info);

}  // namespace truefork
