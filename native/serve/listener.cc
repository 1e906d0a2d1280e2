#include "serve/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/address.h"
#include "support/errors.h"

namespace truefork {

Napi::Value BindListener(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  const std::string host = options.Get("host").As<Napi::String>();
  const int port = options.Get("port").As<Napi::Number>().Int32Value();
  const bool ipv6Only = options.Get("ipv6Only").ToBoolean();

  Address address;
  if (!ParseIp(host, port, &address)) throw SystemError(env, EINVAL, "bind", host, port);
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw SystemError(env, errno, "socket", host, port);
  const int on = 1;
  const int v6only = ipv6Only ? 1 : 0;
  const bool set = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   (address.family() != AF_INET6 ||
                    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only) == 0);
  const char* syscall = set ? "bind" : "setsockopt";
  if (!set || bind(fd, address.raw(), address.length) != 0) {
    const int errnum = errno;
    close(fd);
    throw SystemError(env, errnum, syscall, host, port);
  }
  return Napi::Number::New(env, fd);
}

Napi::Value GetSockName(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Address address;
  const int fd = info[0].As<Napi::Number>().Int32Value();
  if (getsockname(fd, address.raw(), &address.length) != 0) throw SystemError(env, errno, "getsockname");
  Napi::Object name = Napi::Object::New(env);
  name.Set("address", address.Host());
  name.Set("family", address.family() == AF_INET6 ? "IPv6" : "IPv4");
  name.Set("port", address.Port());
  return name;
}

}  // namespace truefork
