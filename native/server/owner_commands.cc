#include "server/owner_commands.h"

#include <poll.h>

namespace truefork {

OwnerCommands::OwnerCommands(Channel& channel) : channel_(channel) {
  On(protocol::Command::Ping, [this] { channel_.Put(protocol::Record::Pong); });
}

bool OwnerCommands::Obey() {
  const bool ownerIsThere = channel_.Fill();
  while (const auto message = channel_.Next()) {
    obeyed_++;
    const auto found = handlers_.find(static_cast<protocol::Command>(message->kind));
    if (found != handlers_.end()) found->second(*message);
  }
  return ownerIsThere;
}

bool OwnerCommands::Await(uint32_t count) {
  while (obeyed_ < count) {
    pollfd channel{channel_.fd(), POLLIN, 0};
    if (poll(&channel, 1, -1) > 0 && !Obey()) return false;
  }
  return true;
}

}  // namespace truefork
