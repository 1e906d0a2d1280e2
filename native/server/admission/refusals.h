// How clients are turned away, and how that is told: a flood of them costs a close each, and a record a
// second.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "protocol/channel.h"
#include "protocol/messages.h"
#include "support/address.h"

namespace truefork {

class Refusals {
 public:
  // Policy::Reset closes with a reset, anything else says `text` first, if there is any.
  void SetPolicy(protocol::Reason reason, protocol::Policy policy, std::string text);

  // Takes the descriptor over.
  void TurnAway(int fd, protocol::Reason reason, const Address& peer, int64_t now);

  // When Attend() has something to do; 0: never.
  int64_t NextDeadline() const;
  void Attend(Channel& channel, int64_t now);

  // The server stops: tells what is not told yet, and waits for nobody's reading.
  void End(Channel& channel);

  // In a child, which must not hold them open.
  void CloseDescriptors();

 private:
  struct Manner {
    protocol::Policy policy = protocol::Policy::Refuse;
    std::string text = {};
  };
  struct Tally {
    uint32_t untold = 0;
    int64_t tellAt = 0;
    Address last = {};  // who was turned away last
  };
  struct Leaving {
    int fd;
    int64_t closeAt;
  };

  void Tell(Channel& channel, uint32_t reason, int64_t now);

  Manner manners_[protocol::kReasons];
  Tally tallies_[protocol::kReasons];
  std::deque<Leaving> leaving_;
};

}  // namespace truefork
