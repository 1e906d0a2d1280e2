// What a process that forks asks of the addon before it does, and its children after.
#pragma once

#include <napi.h>

#include <string>

namespace truefork {

// findUnsafeThread(): "" where the process may be forked now, else the thread that is in the way
// (fork/threads.h).
Napi::Value FindUnsafeThread(const Napi::CallbackInfo& info);
std::string UnsafeThread(Napi::Env env);

// dieWithPeer(socket): this process is killed when the other end of the socket is closed
// (isolation/parent_death.h).
void WatchPeer(const Napi::CallbackInfo& info);

// awaitConnection(): in a spare, waits for a connection on the event loop; onConnection of serve() gets it.
void AwaitConnection(const Napi::CallbackInfo& info);

// toldToFinish(): whether this server, or the one that this child is of, drains.
Napi::Value IsDraining(const Napi::CallbackInfo& info);

// ranOutOfMemory(): notes it in this child's slot, for its exit record.
void NoteOutOfMemoryOfScript(const Napi::CallbackInfo& info);

}  // namespace truefork
