// A child that serves connections which come after it was forked: it waits for them on its channel to the
// zygote, and its event loop runs meanwhile.
#pragma once

#include <uv.h>

#include <functional>

#include "protocol/handoff.h"
#include "protocol/slot.h"

namespace truefork::worker {

// In the zygote, before any fork: what is called with each connection; and, in a child that is to serve
// others, when nothing is left to do for it.
void Prepare(uv_loop_t* loop, std::function<void(const Handoff&)> serve, std::function<void()> onServed);

// In a child, right after the fork: its slot, and its end of its channel. A child without a channel (-1)
// exits after its connection.
void Join(Slot* slot, int channel);

// Starts to wait for a connection, and returns at once: it comes from the event loop.
void Await();

// The same for a worker that puts its memory and kernel state back to what they are now after each connection
// (rollback/rollback.h).
void AwaitAndRollBack();

}  // namespace truefork::worker
