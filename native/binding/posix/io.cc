#include <fcntl.h>
#include <unistd.h>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/posix/families.h"
#include "posix/descriptors.h"
#include "posix/waiting_calls.h"
#include "support/faults.h"

namespace truefork {

namespace {

void RefuseEventLoops(const Args& args, int fd) {
  if (!BelongsToEventLoop(fd)) return;
  throw MisuseError(args.env(), "ERR_TRUEFORK_DESCRIPTOR_RESERVED",
                    std::string(args.call()) + ": descriptor " + std::to_string(fd) +
                        " belongs to Node's event loop, which cannot live without it: leave it alone");
}

Napi::Value Read(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "fd");
  const Bytes bytes = args.Buffer(1, 2, 3);
  const long size = WaitingFor(fd, POLLIN, [&]() -> long {
    if (const int errnum = faults::Take(faults::Call::Read)) {
      errno = errnum;
      return -1;
    }
    return read(fd, bytes.data(), bytes.size());
  });
  return args.Result(size);
}

Napi::Value Write(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "fd");
  const Bytes bytes = args.Buffer(1, 2, 3);
  const long size = WaitingFor(fd, POLLOUT, [&]() -> long {
    if (const int errnum = faults::Take(faults::Call::Write)) {
      errno = errnum;
      return -1;
    }
    return write(fd, bytes.data(), bytes.size());
  });
  return args.Result(size);
}

void CloseDescriptor(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "fd");
  RefuseEventLoops(args, fd);
  args.Checked(close(fd));
}

Napi::Value Pipe(const Napi::CallbackInfo& info) {
  const Args args(info);
  int ends[2];
  args.Checked(pipe(ends));
  Napi::Array pair = Napi::Array::New(args.env(), 2);
  pair.Set(0u, ends[0]);
  pair.Set(1u, ends[1]);
  return pair;
}

Napi::Value Dup(const Napi::CallbackInfo& info) {
  const Args args(info);
  return args.Result(dup(args.Int(0, "oldfd")));
}

Napi::Value Dup2(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int from = args.Int(0, "oldfd");
  const int to = args.Int(1, "newfd");
  RefuseEventLoops(args, to);
  return args.Result(dup2(from, to));
}

Napi::Value Fcntl(const Napi::CallbackInfo& info) {
  const Args args(info);
  const int fd = args.Int(0, "fd");
  const int command = args.Int(1, "cmd");
  switch (command) {
    case F_GETFD:
    case F_GETFL:
      return args.Result(fcntl(fd, command));
    case F_SETFD:
    case F_SETFL: {
      const int flags = args.Int(2, "arg");
      RefuseEventLoops(args, fd);
      return args.Result(fcntl(fd, command, flags));
    }
    default:
      throw args.OutOfRange("cmd", "F_GETFD, F_SETFD, F_GETFL or F_SETFL");
  }
}

}  // namespace

void ExportIo(Napi::Object exports) {
  static constexpr Export kCalls[] = {
      {"read", Read}, {"write", Write}, {"close", CloseDescriptor}, {"pipe", Pipe},
      {"dup", Dup},   {"dup2", Dup2},   {"fcntl", Fcntl},
  };
  ExportTable(exports, kCalls);
}

}  // namespace truefork
