// The forking server's loop, as JavaScript starts it; and what its children ask about their connection.
#pragma once

#include <napi.h>

#include "protocol/connection.h"
#include "server/listeners.h"

namespace truefork {

// serve({ listeners, channel, settings, privileges, program, … }): runs server/loop.h from the event loop on.
// In each child it calls onChild(fd) with the descriptor of its connection; or with -1 in a spare, which then
// calls awaitConnection(), and gets each connection by onConnection(fd). In the zygote it calls onEnd() once
// the server has ended. With a program, { path, arguments }, children execute that.
Napi::Value Serve(const Napi::CallbackInfo& info);

// describeConnection(): the connection that this child serves, as below.
Napi::Value DescribeConnection(const Napi::CallbackInfo& info);

// The option `listeners` of both kinds of server: [[descriptor, backlog], …].
std::vector<Listeners::Socket> ListenersFrom(const Napi::Object& options);

// { id, family, remoteAddress, remotePort, localAddress, localPort }
Napi::Object ConnectionObject(Napi::Env env, const Connection& connection);

// The layouts of protocol/messages.h, for the test that compares them with TypeScript's.
Napi::Value ProtocolLayouts(const Napi::CallbackInfo& info);

}  // namespace truefork
