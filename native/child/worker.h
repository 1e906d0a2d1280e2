// A child that serves connections which come after it was forked: it waits for them on its channel to the
// zygote, and its event loop runs meanwhile.
#pragma once

#include <uv.h>

#include <functional>

#include "protocol/handoff.h"
#include "protocol/slot.h"

namespace truefork::worker {

// In the zygote, before any fork: what is called with each connection.
void Prepare(uv_loop_t* loop, std::function<void(const Handoff&)> serve);

// In a child, right after the fork: its slot, and its end of its channel. A child without a channel (-1)
// exits after its connection.
void Join(Slot* slot, int channel);

// Starts to wait for a connection, and returns at once: it comes from the event loop.
void Await();

// The same for a worker that puts its memory and kernel state back to what they are now after each connection
// (rollback/rollback.h).
void AwaitAndRollBack();

}  // namespace truefork::worker
