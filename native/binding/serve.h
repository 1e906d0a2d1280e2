#pragma once

#include <napi.h>

#include "server/connection.h"
#include "server/listeners.h"

namespace truefork {

// serve({ listeners, channel, maxChildren, settings, privileges, program, … }): the loop of loop.h,
// run by the event loop. Calls in each child onChild(fd) with the descriptor of its connection: or -1 where
// it was forked ahead of one, which awaitConnection() waits for and onConnection(fd) gets; and in the zygote
// onEnd(), once the server has ended. With a program, { path, arguments }, that is what the children become.
Napi::Value Serve(const Napi::CallbackInfo& info);

// describeConnection(): the connection that this child was forked for, as below.
Napi::Value DescribeConnection(const Napi::CallbackInfo& info);

// What the loops of both kinds of server are given as `listeners`: [[descriptor, backlog], …].
std::vector<Listeners::Socket> ListenersFrom(const Napi::Object& options);

// { id, family, remoteAddress, remotePort, localAddress, localPort }
Napi::Object ConnectionObject(Napi::Env env, const Connection& connection);

// The layout of the messages in protocol.h, for the test that holds the two languages together.
Napi::Value ProtocolLayouts(const Napi::CallbackInfo& info);

}  // namespace truefork
