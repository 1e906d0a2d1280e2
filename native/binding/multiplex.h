// The server of one process, as JavaScript runs it: select/select_loop.h.
#pragma once

#include <napi.h>

namespace truefork {

// multiplex({ listeners, channel, usePoll }, { open(connection), data(id, chunk), end(id, errno), ended() }):
// serves from the event loop on. end() gets 0 when the client has finished, or a negative errno when the
// connection has failed.
Napi::Value Multiplex(const Napi::CallbackInfo& info);

// What the handler does with a connection, by its id.
Napi::Value PeerWrite(const Napi::CallbackInfo& info);
void PeerRead(const Napi::CallbackInfo& info);
void PeerEnd(const Napi::CallbackInfo& info);
void PeerDestroy(const Napi::CallbackInfo& info);
void PeerRelease(const Napi::CallbackInfo& info);

}  // namespace truefork
