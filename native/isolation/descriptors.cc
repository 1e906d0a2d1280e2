#include "isolation/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <vector>

#include "support/raw_syscall.h"

namespace truefork {

namespace {

constexpr long kCloseRange = 436;  // on every architecture
constexpr unsigned kOnExec = 1u << 2;

std::vector<int> OpenFrom(int first) {
  std::vector<int> found;
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = first; fd < static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65'536)); fd++) {
      if (fcntl(fd, F_GETFD) >= 0) found.push_back(fd);
    }
    return found;
  }
  while (const dirent* entry = readdir(folder)) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd >= first && fd != dirfd(folder)) found.push_back(fd);
  }
  closedir(folder);
  return found;
}

}  // namespace

void CloseDescriptorsFrom(int first) {
  if (RawSyscall(kCloseRange, first, UINT_MAX, 0) == 0) return;
  for (const int fd : OpenFrom(first)) close(fd);
}

void CloseDescriptorsOnExecFrom(int first) {
  if (RawSyscall(kCloseRange, first, UINT_MAX, kOnExec) == 0) return;
  for (const int fd : OpenFrom(first)) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int MoveDescriptorUp(int fd, int limit) {
  rlimit most{};
  if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < static_cast<rlim_t>(limit))
    limit = static_cast<int>(most.rlim_cur);
  for (int to = limit - 1; to > fd; to--) {
    if (fcntl(to, F_GETFD) >= 0) continue;
    const int moved = dup3(fd, to, O_CLOEXEC);
    if (moved >= 0) close(fd);
    return moved;
  }
  errno = EMFILE;
  return -1;
}

}  // namespace truefork
