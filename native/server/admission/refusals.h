// How clients are refused, and how that is reported. A flood of refused clients costs one close(2) each and
// one record a second.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "protocol/messages.h"
#include "server/reports.h"
#include "support/address.h"
#include "support/time.h"

namespace truefork {

class Refusals {
 public:
  explicit Refusals(Reports& reports) : reports_(reports) {}

  // With Policy::Reset the connection is reset. With any other it is sent `text`, if there is one, and
  // closed.
  void SetPolicy(protocol::Reason reason, protocol::Policy policy, std::string text);

  // Takes ownership of the descriptor.
  void Refuse(int fd, protocol::Reason reason, const Address& peer, Time now);

  // Closes connections that have had time to read their text, and sends the records that are due.
  Deadline NextDeadline() const;
  void Enforce(Time now);

  // The server stops accepting: sends all records and closes all connections.
  void Finish();

  // In a child, which must not keep them open.
  void CloseDescriptors();

 private:
  struct Manner {
    protocol::Policy policy = protocol::Policy::Refuse;
    std::string text = {};
  };
  struct Tally {
    uint32_t unreported = 0;
    Deadline reportAt = Deadline::Immediate();
    Address latest = {};
  };
  struct Lingering {
    int fd;
    Deadline closeAt;
  };

  void Report(uint32_t reason, Time now);

  Reports& reports_;
  Manner manners_[protocol::kReasons];
  Tally tallies_[protocol::kReasons];
  std::deque<Lingering> lingering_;  // the oldest first
};

}  // namespace truefork
