#include "binding/posix/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>

#include "binding/errors.h"

namespace truefork {

namespace {

Address UnixAddressFrom(const Args& args, const Napi::Object& object) {
  const Napi::Value given = object.Get("path");
  if (!given.IsString()) throw args.WrongType("path", "a string");
  const std::string path = given.As<Napi::String>();
  if (path[0] != '\0' && path.find('\0') != std::string::npos) {
    throw args.WrongType("path", "a string without NUL characters, other than the first of an abstract name");
  }
  Address address;
  if (!UnixAddress(path, &address)) {
    throw args.OutOfRange("path", "no longer than " + std::to_string(LongestUnixName(path)) + " bytes");
  }
  return address;
}

uint32_t OptionalOf(const Args& args, const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() ? 0 : args.UnsignedOf(value, name);
}

}  // namespace

Address AddressFrom(const Args& args, size_t index, const char* name) {
  const Napi::Object object = args.Object(index, name);
  const int family = args.IntOf(object.Get("family"), "family");
  if (family == AF_UNIX) return UnixAddressFrom(args, object);
  if (family != AF_INET && family != AF_INET6)
    throw args.OutOfRange("family", "AF_INET, AF_INET6 or AF_UNIX");

  const std::string host = args.StringOf(object.Get("address"), "address");
  const auto port = static_cast<uint16_t>(args.NumberOf(object.Get("port"), "port", 0, 65535));
  Address address;
  if (!ParseIp(host, port, &address) || address.family() != family) {
    throw args.WrongType("address", family == AF_INET
                                        ? "an IPv4 address, like \"127.0.0.1\"; names are not resolved"
                                        : "an IPv6 address, like \"::1\"; names are not resolved");
  }
  if (family == AF_INET6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in6->sin6_flowinfo = htonl(OptionalOf(args, object, "flowinfo"));
    if (const uint32_t scope = OptionalOf(args, object, "scopeid")) in6->sin6_scope_id = scope;
  }
  return address;
}

void FillAddress(Napi::Object object, const Address& address) {
  // The peer of a Unix-domain socket that was never bound has no address at all, not even a family.
  const bool nameless = address.length < sizeof(sa_family_t);
  object.Set("family", nameless ? AF_UNIX : address.family());
  if (nameless || address.family() == AF_UNIX) {
    object.Set("path", nameless ? "" : address.Host());
    return;
  }
  object.Set("address", address.Host());
  object.Set("port", address.Port());
  if (address.family() != AF_INET6) return;
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  object.Set("flowinfo", ntohl(in6->sin6_flowinfo));
  object.Set("scopeid", in6->sin6_scope_id);
}

Napi::Object AddressToObject(Napi::Env env, const Address& address) {
  Napi::Object object = Napi::Object::New(env);
  FillAddress(object, address);
  return object;
}

Napi::Error AddressError(const Args& args, const Address& address) {
  const int port = address.family() == AF_UNIX ? -1 : address.Port();
  const int errnum = errno;
  return SystemError(args.env(), errnum, args.call(), address.Host(), port);
}

}  // namespace truefork
