// What the kernel knows about a TCP connection, asked for by its two addresses (sock_diag(7)). This needs
// neither a descriptor of the connection, which the zygote has closed, nor an answer of the child, which may
// hang.
#pragma once

#include <linux/inet_diag.h>

#include <cstdint>
#include <optional>

#include "support/address.h"
#include "support/time.h"

namespace truefork {

class TcpTraffic {
 public:
  // Nothing where the connection is not of TCP.
  static std::optional<TcpTraffic> Of(int fd, const Address& peer);

  struct Answer {
    uint64_t bytesIn;   // arrived in order, read or not
    uint64_t bytesOut;  // acknowledged by the peer
    bool isSending;     // something that was written is not acknowledged yet
    Duration sinceIn;   // since data last came
    Duration sinceOut;  // since data was last sent
  };

  // Nothing where the connection is gone, or the kernel has no such service.
  std::optional<Answer> Ask() const;

 private:
  uint8_t family_;
  inet_diag_sockid id_;
};

}  // namespace truefork
