// The address of a client, in the one form that limits and rules compare.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "support/address.h"

namespace truefork {

// An IP address. ::ffff:10.0.0.1 becomes the IPv4 address 10.0.0.1, which is what the same client has on an
// IPv4 listener (RFC 4291, 2.5.5.2).
struct Ip {
  bool isV4;
  std::array<uint8_t, 16> bytes;  // of IPv4 the first four, then zeros

  // The first and the last address that share these leading bits.
  Ip First(unsigned bits) const;
  Ip Last(unsigned bits) const;
};

// Nothing for a Unix socket.
std::optional<Ip> IpOf(const Address& address);

// What counts as one source: an IPv4 address, or an IPv6 /64. A customer gets at least a /64 (RFC 6177), and
// a host can take any address within it (RFC 8981). Nothing for a Unix socket.
using Source = std::optional<uint64_t>;
Source SourceOf(const Address& address);

}  // namespace truefork
