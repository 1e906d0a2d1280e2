#include "binding/notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "binding/errors.h"
#include "support/address.h"
#include "support/clock.h"

namespace truefork {

void Notify(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string path = info[0].As<Napi::String>();
  const std::string text = info[1].As<Napi::String>();
  if (path[0] == '@') path[0] = '\0';
  Address address;
  if (!UnixAddress(path, &address)) throw SystemError(env, ENAMETOOLONG, "sendto", path, -1);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw SystemError(env, errno, "socket");
  const ssize_t sent =
      sendto(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT, address.raw(), address.length);
  const int errnum = errno;
  close(fd);
  if (sent < 0) throw SystemError(env, errnum, "sendto", path, -1);
}

Napi::Value MonotonicMicros(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(NowMicros()));
}

}  // namespace truefork
