#include "isolation/descriptors.h"

#include <fcntl.h>

#include <algorithm>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

void OpenAt(int fd) {
  const int opened = open("/dev/null", O_RDONLY);
  EXPECT_EQ(dup2(opened, fd), fd);
  if (opened != fd) close(opened);
}

}  // namespace

TEST(DescriptorsTest, AllFromTheFirstOnAreClosed) {
  Subject subject([] {
    OpenAt(7);
    OpenAt(100);
    OpenAt(900);
    CloseDescriptorsFrom(8);
    EXPECT_TRUE(IsOpen(7));
    EXPECT_FALSE(IsOpen(100));
    EXPECT_FALSE(IsOpen(900));
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(DescriptorsTest, OrMarkedForTheNextProgram) {
  Subject subject([] {
    OpenAt(100);
    CloseDescriptorsOnExecFrom(3);
    EXPECT_EQ(fcntl(100, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(2, F_GETFD), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(DescriptorsTest, OneMovesToTheHighestFreeNumber) {
  Subject subject([] {
    OpenAt(3);
    OpenAt(255);
    EXPECT_EQ(MoveDescriptorUp(3, 256), 254);
    EXPECT_FALSE(IsOpen(3));
    EXPECT_EQ(fcntl(254, F_GETFD), FD_CLOEXEC);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace truefork
