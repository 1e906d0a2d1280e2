// A child that is to serve connections that come after it was forked: it waits for them on its line to the
// zygote, and its event loop goes on meanwhile.
#pragma once

#include <uv.h>

#include <functional>

#include "server/handoff.h"
#include "server/limits/slots.h"

namespace truefork {

namespace worker {

// In the zygote, before any fork: who is called with each connection.
void Prepare(uv_loop_t* loop, std::function<void(const Handover&)> begin);

// In a child, right after the fork: its slot, its end of its line, and of the one to say that it has served.
// A child without a line ends with its connection.
void BelongTo(Slot* slot, int line, int done);

// Waits for a connection, and returns at once: it comes from the event loop.
void Await();

}  // namespace worker

}  // namespace truefork
