// How a forked child ends. Node's own ways out join the worker threads that fork() did not copy, and hang or
// crash: every exit path of a child has to reach _exit(2) before it reaches them.
#pragma once

#include <uv.h>

#include <optional>

namespace truefork {

// The events of a child's natural end, in this order, as Node has them.
struct ExitEvents {
  void (*nothingLeft)();  // the event loop is empty; it may exit here, and then the others are not called
  void (*beforeExit)();   // 'beforeExit': listeners may start new work
  void (*exit)();         // 'exit': there was none. It returns where a listener threw; called again, it exits
};

// Once in each process that is going to fork, before its first fork: children only start what is prepared
// here.
void PrepareExits(uv_loop_t* loop, const ExitEvents& events);

// In a child, right after the fork: from now on its natural end is noticed. Nothing where exits were not
// prepared.
void GuardExits();

// `veto` is asked in a child that has come to its natural end. True: the child goes on, and none of the
// events happens.
void SetExitVeto(bool (*veto)());

// Asks, in a child that is about to exit with this code, for another way out: one that does not come back.
void InsteadOfExit(void (*leave)(int code));

// Emits 'exit' as Node does at a natural end and returns the exit code that Node would end with: 13 where a
// top-level await was never settled. Nothing where this Node does not export the function.
std::optional<int> EmitExit();

// For an uncaught exception: lets Node print it, and then the process exits with this code. False where this
// Node gives no way to do so.
bool ExitAfterReport(int code);

// Ends this process now, with C's buffered output written.
[[noreturn]] void ExitNow(int code);

// Whether something other than the guard, and the handle named, keeps the event loop alive.
bool LoopIsAlive(uv_handle_t* besides = nullptr);

}  // namespace truefork
