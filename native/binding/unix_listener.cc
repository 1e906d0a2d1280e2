// Unix sockets that listen on a path, and what a dead server has left behind.
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binding/errors.h"
#include "binding/listener.h"
#include "support/address.h"
#include "support/libc.h"

namespace truefork {

namespace {

// Held while a stale socket is told from a live one and replaced, so that of two servers that start at once
// the second finds the first alive. A folder that cannot be opened is not ours to change, either.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    fd_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ >= 0) flock(fd_, LOCK_EX);
  }
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

// Whether the path is a socket that no process has open any more. A datagram socket asks, which cannot
// connect to a stream socket, and is told why: EPROTOTYPE, it is somebody's, be it that nobody listens on it
// yet; ECONNREFUSED, it is nobody's (connect(2)). So a live server is not disturbed by a connection.
bool IsStale(const std::string& path, const Address& address) {
  if (FileType(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW) != S_IFSOCK) return false;
  const int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool isNobodys = connect(probe, address.raw(), address.length) != 0 && errno == ECONNREFUSED;
  close(probe);
  return isNobodys;
}

bool Bind(int fd, const std::string& path, const Address& address) {
  if (path[0] == '\0') return bind(fd, address.raw(), address.length) == 0;
  const FolderLock lock(path);
  if (bind(fd, address.raw(), address.length) == 0) return true;
  if (errno != EADDRINUSE) return false;
  if (!IsStale(path, address)) {
    errno = EADDRINUSE;
    return false;
  }
  return unlink(path.c_str()) == 0 && bind(fd, address.raw(), address.length) == 0;
}

}  // namespace

Napi::Value BindUnixListener(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::string path = info[0].As<Napi::String>();
  Address address;
  if (!UnixAddress(path, &address)) throw SystemError(env, ENAMETOOLONG, "bind", path, -1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw SystemError(env, errno, "socket");
  if (!Bind(fd, path, address)) {
    const int errnum = errno;
    close(fd);
    throw SystemError(env, errnum, "bind", path, -1);
  }
  return Napi::Number::New(env, fd);
}

}  // namespace truefork
