// The owner's commands, on their way to the parts of a server that carry them out. Both kinds of server use
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "protocol/channel.h"
#include "protocol/messages.h"

namespace truefork {

class OwnerCommands {
 public:
  // Answers Ping by itself. A command that nothing was registered for is ignored: the other kind of server
  // has it.
  explicit OwnerCommands(Channel& channel);

  // What carries out a command: given the struct in its message, or the whole message.
  using Handler = std::function<void(const Channel::Message&)>;
  void OnMessage(protocol::Command command, Handler carryOut) { handlers_[command] = std::move(carryOut); }
  template <typename Body>
  void On(protocol::Command command, const std::function<void(const Body&)>& carryOut) {
    OnMessage(command, [carryOut](const Channel::Message& message) { carryOut(message.As<Body>()); });
  }
  void On(protocol::Command command, const std::function<void()>& carryOut) {
    OnMessage(command, [carryOut](const Channel::Message&) { carryOut(); });
  }

  // Reads what has arrived and carries it out. False when the owner is gone.
  [[nodiscard]] bool Obey();

  // Waits until so many commands have been carried out in all: the settings that a server needs before its
  // first client. False when the owner is gone.
  [[nodiscard]] bool Await(uint32_t count);

 private:
  Channel& channel_;
  std::map<protocol::Command, Handler> handlers_;
  uint64_t obeyed_ = 0;
};

}  // namespace truefork
