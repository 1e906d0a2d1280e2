#include "binding/posix/io.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "binding/errors.h"
#include "binding/system.h"
#include "posix/descriptor.h"
#include "support/faults.h"

namespace truefork {

namespace {

Napi::Value Read(const Napi::CallbackInfo& info) {
  const Args args(info, "read");
  const int fd = args.Int(0, "fd");
  const Bytes bytes = args.Buffer(1, 2, 3);
  const long size = Waiting(args.env(), fd, POLLIN, [&]() -> long {
    if (const int errnum = faults::Take(faults::Call::Read)) {
      errno = errnum;
      return -1;
    }
    return read(fd, bytes.data(), bytes.size());
  });
  return Napi::Number::New(args.env(), Checked(args, size));
}

Napi::Value Write(const Napi::CallbackInfo& info) {
  const Args args(info, "write");
  const int fd = args.Int(0, "fd");
  const Bytes bytes = args.Buffer(1, 2, 3);
  const long size = Waiting(args.env(), fd, POLLOUT, [&]() -> long {
    if (const int errnum = faults::Take(faults::Call::Write)) {
      errno = errnum;
      return -1;
    }
    return write(fd, bytes.data(), bytes.size());
  });
  return Napi::Number::New(args.env(), Checked(args, size));
}

void CloseDescriptor(const Napi::CallbackInfo& info) {
  const Args args(info, "close");
  const int fd = args.Int(0, "fd");
  RefuseNodesOwn(args, fd);
  Checked(args, close(fd));
}

Napi::Value Pipe(const Napi::CallbackInfo& info) {
  const Args args(info, "pipe");
  int ends[2];
  Checked(args, pipe(ends));
  Napi::Array pair = Napi::Array::New(args.env(), 2);
  pair.Set(0u, ends[0]);
  pair.Set(1u, ends[1]);
  return pair;
}

Napi::Value Dup(const Napi::CallbackInfo& info) {
  const Args args(info, "dup");
  return Napi::Number::New(args.env(), Checked(args, dup(args.Int(0, "oldfd"))));
}

Napi::Value Dup2(const Napi::CallbackInfo& info) {
  const Args args(info, "dup2");
  const int from = args.Int(0, "oldfd");
  const int to = args.Int(1, "newfd");
  RefuseNodesOwn(args, to);
  return Napi::Number::New(args.env(), Checked(args, dup2(from, to)));
}

Napi::Value Fcntl(const Napi::CallbackInfo& info) {
  const Args args(info, "fcntl");
  const int fd = args.Int(0, "fd");
  const int command = args.Int(1, "cmd");
  switch (command) {
    case F_GETFD:
    case F_GETFL:
      return Napi::Number::New(args.env(), Checked(args, fcntl(fd, command)));
    case F_SETFD:
    case F_SETFL: {
      const int flags = args.Int(2, "arg");
      RefuseNodesOwn(args, fd);
      return Napi::Number::New(args.env(), Checked(args, fcntl(fd, command, flags)));
    }
    default:
      throw args.OutOfRange("cmd", "F_GETFD, F_SETFD, F_GETFL or F_SETFL");
  }
}

}  // namespace

void RefuseNodesOwn(const Args& args, int fd) {
  if (!IsAnonymousInode(fd)) return;
  char target[64];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  const std::string_view kind(target, size < 0 ? 0 : size);
  for (const char* own :
       {"anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[signalfd]", "anon_inode:[io_uring]"}) {
    if (kind != own) continue;
    throw MisuseError(args.env(), "ERR_TRUEFORK_DESCRIPTOR_RESERVED",
                      std::string(args.call()) + ": descriptor " + std::to_string(fd) +
                          " belongs to Node's event loop, which cannot live without it: leave it alone");
  }
}

void RegisterIo(Napi::Env, Napi::Object exports) {
  Give(exports, "read", Read);
  Give(exports, "write", Write);
  Give(exports, "close", CloseDescriptor);
  Give(exports, "pipe", Pipe);
  Give(exports, "dup", Dup);
  Give(exports, "dup2", Dup2);
  Give(exports, "fcntl", Fcntl);
}

}  // namespace truefork
