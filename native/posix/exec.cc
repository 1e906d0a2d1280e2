#include "posix/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "posix/signal_delivery.h"

namespace truefork {

namespace {

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Node marks its standard streams FD_CLOEXEC at start. A program that is executed expects to have them.
class StandardStreamsForExec {
 public:
  StandardStreamsForExec() {
    for (int fd = 0; fd < kCount; fd++) {
      before_[fd] = fcntl(fd, F_GETFD);
      if (before_[fd] >= 0) fcntl(fd, F_SETFD, before_[fd] & ~FD_CLOEXEC);
    }
  }
  ~StandardStreamsForExec() {
    const int saved = errno;
    for (int fd = 0; fd < kCount; fd++) {
      if (before_[fd] >= 0) fcntl(fd, F_SETFD, before_[fd]);
    }
    errno = saved;
  }
  StandardStreamsForExec(const StandardStreamsForExec&) = delete;
  StandardStreamsForExec& operator=(const StandardStreamsForExec&) = delete;

 private:
  static constexpr int kCount = 3;
  int before_[kCount];
};

}  // namespace

int Execute(ExecCall call, const std::string& path, const std::vector<std::string>& argv,
            const std::vector<std::string>& envp) {
  const std::vector<char*> arguments = Pointers(argv);
  const std::vector<char*> environment = Pointers(envp);
  fflush(nullptr);
  const SignalsForExec signals;
  const StandardStreamsForExec streams;
  call(path.c_str(), arguments.data(), environment.data());
  return errno;
}

}  // namespace truefork
