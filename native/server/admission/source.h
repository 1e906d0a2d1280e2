// Where a client comes from, in the one form that limits and rules compare.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "support/address.h"

namespace truefork {

// An IP address. ::ffff:10.0.0.1 is the IPv4 address 10.0.0.1, as which the same client comes to another
// listener (RFC 4291, 2.5.5.2).
struct Ip {
  bool isV4;
  std::array<uint8_t, 16> bytes;  // of IPv4 the first four, then zeros

  // The first and the last address that have these first bits in common.
  Ip First(unsigned bits) const;
  Ip Last(unsigned bits) const;
};

// Nothing for a Unix socket.
std::optional<Ip> IpOf(const Address& address);

// Who counts as one client: an IPv4 address, or an IPv6 /64, which is what one customer gets (RFC 6177), and
// within which any host can take any address it likes (RFC 8981).
using Source = std::optional<uint64_t>;
Source SourceOf(const Address& address);

}  // namespace truefork
