// Socket addresses between the kernel's form and the strings and ports of JavaScript.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace truefork {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  const char* FamilyName() const;  // as Node says it: "IPv4", "IPv6", and "Unix" for the rest

  std::string Host() const;  // "127.0.0.1", "fe80::1%eth0", or a Unix socket's path
  std::string Text() const;  // the same, for people: an abstract name begins with @, as in ss(8)
  uint16_t Port() const;     // 0 where the family has none

  // An IPv4 client of an IPv6 socket by its own address, 10.0.0.1 and not ::ffff:10.0.0.1 (ipv6(7)).
  Address Unmapped() const;
};

// An IPv4 or IPv6 address in text, with an optional %scope; false where it is neither. Names are not
// resolved.
bool ParseIp(const std::string& host, uint16_t port, Address* out);

// A Unix socket's path, or its abstract name, which begins with NUL (unix(7)). An empty one has bind(2)
// choose an abstract name. False where it is too long.
size_t LongestUnixName(const std::string& path);  // in bytes
bool UnixAddress(const std::string& path, Address* out);

}  // namespace truefork
