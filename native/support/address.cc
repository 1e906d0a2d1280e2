#include "support/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>

namespace truefork {

const char* Address::FamilyName() const {
  switch (family()) {
    case AF_INET:
      return "IPv4";
    case AF_INET6:
      return "IPv6";
    default:
      return "Unix";
  }
}

std::string Address::Host() const {
  if (family() == AF_UNIX) {
    const auto* local = reinterpret_cast<const sockaddr_un*>(&storage);
    const size_t header = offsetof(sockaddr_un, sun_path);
    if (length <= header) return "";
    // An abstract name begins with a NUL and may hold more; a path ends at its first one.
    if (local->sun_path[0] == '\0') return std::string(local->sun_path, length - header);
    return std::string(local->sun_path);
  }
  char host[NI_MAXHOST];
  if (getnameinfo(raw(), length, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return host;
}

std::string Address::Text() const {
  std::string text = Host();
  std::replace(text.begin(), text.end(), '\0', '@');
  return text;
}

Address Address::Unmapped() const {
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) return *this;
  Address v4;
  auto* name = reinterpret_cast<sockaddr_in*>(&v4.storage);
  name->sin_family = AF_INET;
  name->sin_port = v6->sin6_port;
  __builtin_memcpy(&name->sin_addr, &v6->sin6_addr.s6_addr[12], sizeof name->sin_addr);
  v4.length = sizeof *name;
  return v4;
}

uint16_t Address::Port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

bool ParseIp(const std::string& host, uint16_t port, Address* out) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  __builtin_memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
  out->length = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

size_t LongestUnixName(const std::string& path) {
  return sizeof(sockaddr_un::sun_path) - (path[0] == '\0' ? 0 : 1);
}

bool UnixAddress(const std::string& path, Address* out) {
  if (path.size() > LongestUnixName(path)) return false;
  *out = Address{};
  auto* name = reinterpret_cast<sockaddr_un*>(&out->storage);
  name->sun_family = AF_UNIX;
  path.copy(name->sun_path, path.size());
  // A path ends with a NUL. An abstract name has all its bytes counted and none added, an empty one has none.
  out->length = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '\0' ? 0 : 1);
  return true;
}

}  // namespace truefork
