#include "server/admission/source.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace truefork {

namespace {

// Sets all bits after the first `bits` to 0 or 1.
Ip Fill(const Ip& ip, unsigned bits, bool with) {
  Ip filled = ip;
  const unsigned size = ip.isV4 ? 4 : 16;
  for (unsigned i = 0; i < size; i++) {
    const unsigned kept = bits > 8 * i ? std::min(bits - 8 * i, 8u) : 0;
    const uint8_t rest = 0xff >> kept;
    filled.bytes[i] = with ? ip.bytes[i] | rest : ip.bytes[i] & ~rest;
  }
  return filled;
}

}  // namespace

Ip Ip::First(unsigned bits) const { return Fill(*this, bits, false); }
Ip Ip::Last(unsigned bits) const { return Fill(*this, bits, true); }

std::optional<Ip> IpOf(const Address& address) {
  Ip ip{true, {}};
  if (address.family() == AF_INET) {
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr, 4);
    return ip;
  }
  if (address.family() != AF_INET6) return std::nullopt;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
  ip.isV4 = IN6_IS_ADDR_V4MAPPED(&v6);
  if (ip.isV4) {
    std::memcpy(ip.bytes.data(), &v6.s6_addr[12], 4);
  } else {
    std::memcpy(ip.bytes.data(), &v6, 16);
  }
  return ip;
}

Source SourceOf(const Address& address) {
  const auto ip = IpOf(address);
  if (!ip) return std::nullopt;
  uint64_t key = 0;
  for (unsigned i = 0; i < 8; i++) key = key << 8 | ip->bytes[i];
  // ffff:ffff::/32 is multicast, so no client has an address there: it tells IPv4 addresses from IPv6
  // networks.
  return ip->isV4 ? key >> 32 | uint64_t{0xffffffff} << 32 : key;
}

}  // namespace truefork
