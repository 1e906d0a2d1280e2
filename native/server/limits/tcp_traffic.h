// What the kernel knows of a TCP connection, asked for by its two addresses (sock_diag(7)): it needs no
// descriptor of the connection, which the process that forks has closed, and no word from the child, which
// may hang.
#pragma once

#include <linux/inet_diag.h>

#include <cstdint>
#include <optional>

#include "support/address.h"

namespace truefork {

class TcpTraffic {
 public:
  // By which a connection is known; nothing where it is not of TCP (getsockname(2)).
  static std::optional<TcpTraffic> Of(int fd, const Address& peer);

  struct Answer {
    uint64_t bytesIn;    // arrived in order, read or not
    uint64_t bytesOut;   // acknowledged by the peer
    bool isSending;      // something that was written is not acknowledged yet
    int64_t sinceInUs;   // since data last came
    int64_t sinceOutUs;  // since data was last sent
  };

  // Nothing where the connection is gone, or the kernel has no such service.
  std::optional<Answer> Ask() const;

 private:
  uint8_t family_;
  inet_diag_sockid id_;
};

}  // namespace truefork
