// How a forked child ends. Node's own ways out join the worker threads that fork() did not copy, and hang or
// crash: every exit path of a child has to reach _exit(2) before it reaches them.
#pragma once

#include <uv.h>

#include <optional>

namespace Napi {
class Env;
class Object;
}  // namespace Napi

namespace truefork {

// Once in each process that is going to fork. When nothing is left in a child's event loop, callbacks.end()
// is called, which may be the last; then callbacks.beforeExit(), and callbacks.exit() if there is no work
// even then: as Node does with the events of those names.
void PrepareExits(Napi::Env env, Napi::Object callbacks);

// In a child, right after the fork: from now on the paths above are guarded.
void GuardExits();

// Asks, in a child that has come to its natural end, whether it goes on with something else.
void SetExitVeto(bool (*goesOn)());

// Asks, in a child that is about to exit with this code, for another way out: one that does not come back.
void InsteadOfExit(void (*leave)(int code));

// Emits 'exit' as Node does at a natural end, and gives the exit code that it would end with: 13 where a
// top-level await was never settled. Nothing where this Node does not offer it.
std::optional<int> EmitExit();

// An exception that nobody caught is about to end the child: Node prints it, and then the child exits with
// this code. False where this Node gives no way to do so.
bool ExitAfterReport(int code);

// Ends this process now, with C's buffered output written.
[[noreturn]] void ExitNow(int code);

// Whether something other than the guard, and the handle named, keeps the event loop alive.
bool LoopIsAlive(uv_handle_t* besides = nullptr);

}  // namespace truefork
