#include "posix/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace truefork {

TEST(Execute, AProgramFindsItsStandardStreamsOpen) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
    Execute(execve, "/bin/echo", {"echo", "heard"}, {});
    _exit(1);
  }
  close(ends[1]);
  char text[16] = {};
  EXPECT_EQ(read(ends[0], text, sizeof text), 6);
  EXPECT_STREQ(text, "heard\n");
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Execute, WhenItFailsEverythingIsAsBefore) {
  fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
  EXPECT_EQ(Execute(execve, "/there/is/no/such/program", {"x"}, {}), ENOENT);
  EXPECT_EQ(fcntl(STDOUT_FILENO, F_GETFD), FD_CLOEXEC);
}

}  // namespace truefork
