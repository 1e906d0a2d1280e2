#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "binding/errors.h"
#include "binding/posix/families.h"
#include "binding/posix/sockaddr.h"
#include "binding/posix/timeval.h"
#include "posix/waiting_calls.h"
#include "support/faults.h"

namespace truefork {

namespace {

Napi::Value Socket(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int domain = args.Int(0, "domain");
  const int type = args.Int(1, "type");
  return args.Result(socket(domain, type, args.IntOr(2, "protocol", 0)));
}

void Bind(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const Address address = AddressFrom(args, 1, "addr");
  if (bind(fd, address.raw(), address.length) != 0) throw AddressError(args, address);
}

void Listen(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  args.Checked(listen(fd, args.Int(1, "backlog")));
}

// accept(sockfd, peer?): the new descriptor; fills peer.
Napi::Value Accept(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const Napi::Object peer = args.Has(1) ? args.Object(1, "peer") : Napi::Object::New(args.env());
  Address address;
  const long accepted = WaitingFor(fd, POLLIN, [&]() -> long {
    if (const int errnum = faults::Take(faults::Call::Accept)) {
      errno = errnum;
      return -1;
    }
    address.length = sizeof address.storage;
    return accept(fd, address.raw(), &address.length);
  });
  args.Checked(accepted);
  if (args.Has(1)) FillAddress(peer, address);
  return Napi::Number::New(args.env(), accepted);
}

void ConnectTo(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const Address address = AddressFrom(args, 1, "addr");
  if (Connect(fd, address) != 0) throw AddressError(args, address);
}

template <auto call>
Napi::Value NameOf(const Napi::CallbackInfo& info) {
  const Args args(info);
  Address address;
  args.Checked(call(args.Int(0, "sockfd"), address.raw(), &address.length));
  return AddressToObject(args.env(), address);
}

// The options whose value is not an int: struct linger, struct timeval, a name.
enum class Form { Int, Linger, Time, Name };

Form FormOf(int level, int option) {
  if (level == SOL_SOCKET && option == SO_LINGER) return Form::Linger;
  if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) return Form::Time;
  if (level == SOL_SOCKET && option == SO_BINDTODEVICE) return Form::Name;
  if (level == IPPROTO_TCP && option == TCP_CONGESTION) return Form::Name;
  return Form::Int;
}

Napi::Value GetSockOpt(const Napi::CallbackInfo& info) {
  const Args args(info);
  Napi::Env env = args.env();
  const int fd = args.Int(0, "sockfd");
  const int level = args.Int(1, "level");
  const int option = args.Int(2, "optname");
  union {
    int number;
    linger ling;
    timeval time;
    char name[64];
  } value{};
  socklen_t size = sizeof value;
  args.Checked(getsockopt(fd, level, option, &value, &size));
  switch (FormOf(level, option)) {
    case Form::Linger: {
      Napi::Object object = Napi::Object::New(env);
      object.Set("l_onoff", value.ling.l_onoff);
      object.Set("l_linger", value.ling.l_linger);
      return object;
    }
    case Form::Time:
      return TimevalToObject(env, value.time);
    case Form::Name:
      return Napi::String::New(env, value.name, strnlen(value.name, size));
    case Form::Int:
      break;
  }
  // A few options of IPPROTO_IP come as a single byte.
  return Napi::Number::New(env, size == 1 ? static_cast<unsigned char>(value.name[0]) : value.number);
}

void SetSockOpt(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const int level = args.Int(1, "level");
  const int option = args.Int(2, "optname");
  const auto set = [&](const void* value, size_t size) {
    args.Checked(setsockopt(fd, level, option, value, static_cast<socklen_t>(size)));
  };
  switch (FormOf(level, option)) {
    case Form::Linger: {
      const Napi::Object given = args.Object(3, "optval");
      const linger value{args.IntOf(given.Get("l_onoff"), "l_onoff"),
                         args.IntOf(given.Get("l_linger"), "l_linger")};
      return set(&value, sizeof value);
    }
    case Form::Time: {
      const timeval value = TimevalFrom(args, info[3], "optval");
      return set(&value, sizeof value);
    }
    case Form::Name: {
      const std::string value = args.String(3, "optval");
      return set(value.c_str(), value.size());
    }
    case Form::Int: {
      const int value = info[3].IsBoolean() ? info[3].As<Napi::Boolean>().Value() : args.Int(3, "optval");
      return set(&value, sizeof value);
    }
  }
}

void Shutdown(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  args.Checked(shutdown(fd, args.Int(1, "how")));
}

// send(sockfd, buffer, length, flags, offset)
Napi::Value Send(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const Bytes bytes = args.Buffer(1, 2, 4);
  const int flags = args.IntOr(3, "flags", 0);
  const long size = WaitingFor(
      fd, POLLOUT, [&]() -> long { return send(fd, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL); });
  return args.Result(size);
}

// recv(sockfd, buffer, length, flags, offset)
Napi::Value Recv(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "sockfd");
  const Bytes bytes = args.Buffer(1, 2, 4);
  const int flags = args.IntOr(3, "flags", 0);
  const long size = WaitingFor(fd, (flags & MSG_OOB) != 0 ? POLLPRI : POLLIN,
                               [&]() -> long { return recv(fd, bytes.data(), bytes.size(), flags); });
  return args.Result(size);
}

}  // namespace

void ExportSockets(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"socket", Socket},
      {"bind", Bind},
      {"listen", Listen},
      {"accept", Accept},
      {"connect", ConnectTo},
      {"getsockname", NameOf<getsockname>},
      {"getpeername", NameOf<getpeername>},
      {"getsockopt", GetSockOpt},
      {"setsockopt", SetSockOpt},
      {"shutdown", Shutdown},
      {"send", Send},
      {"recv", Recv},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
