#include "posix/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "support/libc.h"

namespace truefork {

bool IsAnonymousInode(int fd) { return FileType(fd, "", AT_EMPTY_PATH) == 0; }

bool BelongsToEventLoop(int fd) {
  if (!IsAnonymousInode(fd)) return false;
  static constexpr std::string_view kKinds[] = {"anon_inode:[eventpoll]", "anon_inode:[eventfd]",
                                                "anon_inode:[signalfd]", "anon_inode:[io_uring]"};
  char target[64];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  const std::string_view kind(target, std::max<ssize_t>(size, 0));
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

void KeepDescriptorsOverExec() {
  // All below the first that Node opened itself, an epoll or eventfd.
  for (int fd = 0;; fd++) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || IsAnonymousInode(fd)) break;
    fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
  }
}

}  // namespace truefork
