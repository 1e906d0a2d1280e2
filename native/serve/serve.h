#pragma once

#include <napi.h>

namespace truefork {

// serve({ listener, channel, backlog, maxChildren, firstId, privileges }): the loop of loop.h. Returns
// undefined in the zygote, once the server has ended, and { fd, id, remoteAddress, remotePort } in each
// child.
Napi::Value Serve(const Napi::CallbackInfo& info);

// The layout of the messages in protocol.h, for the test that holds the two languages together.
Napi::Value ProtocolLayouts(const Napi::CallbackInfo& info);

}  // namespace truefork
