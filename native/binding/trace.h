#pragma once

#include <napi.h>

namespace truefork {

// trace(options, socket): runs a program under the tracer until nothing of it is left. Blocks, and takes the
// signals of this process: for a process of its own.
void Trace(const Napi::CallbackInfo& info);

// traceLocation(text): where in its source a traced program is. Without a tracer it does nothing.
void TraceLocation(const Napi::CallbackInfo& info);

}  // namespace truefork
