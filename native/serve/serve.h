#pragma once

#include <napi.h>

namespace truefork {

// serve({ listener, channel, backlog, maxChildren, firstId }): the loop of loop.h. Returns undefined in the
// zygote, once the server has ended, and in each child the descriptor of its connection: or -1 where it
// was forked ahead of one, which awaitConnection() waits for and onConnection(fd) gets.
Napi::Value Serve(const Napi::CallbackInfo& info);

// describeConnection(): { id, remoteAddress, remotePort } of the connection that this child was forked for.
Napi::Value DescribeConnection(const Napi::CallbackInfo& info);

// The layout of the messages in protocol.h, for the test that holds the two languages together.
Napi::Value ProtocolLayouts(const Napi::CallbackInfo& info);

}  // namespace truefork
