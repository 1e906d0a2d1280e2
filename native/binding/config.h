// The first message of an owner to its zygote, the Config of protocol/messages.h: what to serve, and on which
// listeners. It comes when the process is there already, so that a process can be started before all that is
// known.
#pragma once

#include <napi.h>

namespace truefork {

// sendConfig(socket, header, listeners): the header of the message, with the listeners; its body may follow
// as any bytes do. False where the process has ended already.
Napi::Value SendConfig(const Napi::CallbackInfo& info);

// receiveConfig(socket): waits for the message. Its body, and the descriptors of the listeners; undefined
// where the owner has ended instead.
Napi::Value ReceiveConfig(const Napi::CallbackInfo& info);

}  // namespace truefork
