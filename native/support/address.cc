#include "support/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>

namespace truefork {

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

}  // namespace truefork
