// What the rest of the library asks of the system; the calls for users are in posix/, with their checks.
#pragma once

#include <napi.h>

namespace truefork {

// A descriptor that stands for no file, pipe, socket or device: an epoll, an eventfd and the like.
bool IsAnonymousInode(int fd);

Napi::Value GetPid(const Napi::CallbackInfo& info);
Napi::Value Kill(const Napi::CallbackInfo& info);
Napi::Value Close(const Napi::CallbackInfo& info);

Napi::Value IsATty(const Napi::CallbackInfo& info);

// getrandom(array): fills it with fresh randomness from the kernel (getrandom(2)).
Napi::Value GetRandom(const Napi::CallbackInfo& info);

// passOnDescriptors(): Node marks what it was started with FD_CLOEXEC. Takes that back, for another program
// is about to be executed in its place.
Napi::Value PassOnDescriptors(const Napi::CallbackInfo& info);

// socketPairWithInput(text): a connection within this process, [server's end, client's end], whose client has
// sent the text and will send no more.
Napi::Value SocketPairWithInput(const Napi::CallbackInfo& info);

// processLimit(): the soft RLIMIT_NPROC (getrlimit(2)); Infinity where there is none.
Napi::Value ProcessLimit(const Napi::CallbackInfo& info);

// reapOrphans([pid, …]): for a process that init's duties fall to. Waits for every ended child that is not
// in the list, which somebody else waits for; the pids that were reaped.
Napi::Value ReapOrphans(const Napi::CallbackInfo& info);

}  // namespace truefork
