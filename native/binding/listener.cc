#include "binding/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "binding/errors.h"
#include "support/address.h"

namespace truefork {

namespace {

bool Set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int Number(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Int32Value();
}

bool SetOptions(int fd, const Napi::Object& options, bool isIpv6) {
  return Set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
         (!isIpv6 || Set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.Get("ipv6Only").ToBoolean())) &&
         (!options.Get("noDelay").ToBoolean() || Set(fd, IPPROTO_TCP, TCP_NODELAY, 1)) &&
         (!options.Get("keepAlive").ToBoolean() || Set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)) &&
         (Number(options, "keepAliveSeconds") == 0 ||
          Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, Number(options, "keepAliveSeconds"))) &&
         (Number(options, "deferSeconds") == 0 ||
          Set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, Number(options, "deferSeconds")));
}

int IntOption(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

}  // namespace

Napi::Value BindListener(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  const std::string host = options.Get("host").As<Napi::String>();
  const int port = Number(options, "port");

  Address address;
  if (!ParseIp(host, port, &address)) throw SystemError(env, EINVAL, "bind", host, port);
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw SystemError(env, errno, "socket", host, port);
  const bool set = SetOptions(fd, options, address.family() == AF_INET6);
  const char* syscall = set ? "bind" : "setsockopt";
  if (!set || bind(fd, address.raw(), address.length) != 0) {
    const int errnum = errno;
    close(fd);
    throw SystemError(env, errnum, syscall, host, port);
  }
  return Napi::Number::New(env, fd);
}

Napi::Value AdoptListener(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const int type = IntOption(fd, SO_TYPE);
  if (type < 0) throw SystemError(env, errno, "getsockopt");
  const int family = IntOption(fd, SO_DOMAIN);
  const bool isServed = family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  if (type != SOCK_STREAM || !isServed) throw SystemError(env, EINVAL, "getsockopt");
  // Blocking, it would hang the loop whenever a client is gone again before it is accepted.
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) throw SystemError(env, errno, "fcntl");
  return Napi::Boolean::New(env, IntOption(fd, SO_ACCEPTCONN) == 1);
}

Napi::Value GetSockName(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Address address;
  const int fd = info[0].As<Napi::Number>().Int32Value();
  if (getsockname(fd, address.raw(), &address.length) != 0) throw SystemError(env, errno, "getsockname");
  Napi::Object name = Napi::Object::New(env);
  name.Set("address", address.Host());
  name.Set("family", address.FamilyName());
  name.Set("port", address.Port());
  return name;
}

}  // namespace truefork
