// A connection served by blocking reads and writes, as in the lecture's doit(connfd): the fastest way for a
// process that has nothing else to do.
#pragma once

#include <napi.h>

namespace truefork {

// prepareBlocking(state, { data(size), end(errno), handOver() }): once in a process, before it forks, so that
// no child has to make what these need.
Napi::Value PrepareBlocking(const Napi::CallbackInfo& info);

// readInto(buffer): where the bytes of a connection are read to, from the offset state[1] on.
Napi::Value ReadInto(const Napi::CallbackInfo& info);

// serveBlocking(fd)
//
// Reads from the event loop's top, where each callback is followed by its promises and ticks, until
//  - the peer has finished, the connection failed (errno), or state[0] says Ended: then end(errno) is called;
//  - something else lives in the event loop, or state[0] says Pending: then handOver() is called, and whoever
//    started that goes on by events.
// A signal that JavaScript listens to is delivered between reads.
Napi::Value ServeBlocking(const Napi::CallbackInfo& info);

// writeAll(fd, data): writes all of it, however slow the reader; 0, or the negative errno. Never SIGPIPE.
Napi::Value WriteAll(const Napi::CallbackInfo& info);

}  // namespace truefork
