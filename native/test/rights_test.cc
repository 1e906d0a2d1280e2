#include "support/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "test/subject.h"

namespace truefork {

namespace {

class RightsTest : public testing::Test {
 protected:
  test::SocketPair pair_;
  const int* ends_ = pair_.fds;
};

}  // namespace

TEST_F(RightsTest, AsManyAsTheKernelAllowsArriveInTheirOrder) {
  int wire[2];
  ASSERT_EQ(pipe(wire), 0);
  std::vector<int> sent(rights::kMost, wire[0]);
  sent.back() = wire[1];
  ASSERT_EQ(rights::Send(ends_[0], "x", 1, sent.data(), sent.size()), 1);

  std::vector<int> fds(rights::kMost);
  size_t count = fds.size();
  char byte;
  ASSERT_EQ(rights::Receive(ends_[1], &byte, 1, fds.data(), &count), 1);
  ASSERT_EQ(count, rights::kMost);
  ASSERT_EQ(write(fds.back(), "y", 1), 1);
  ASSERT_EQ(read(fds.front(), &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  for (const int fd : fds) {
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
  }
  close(wire[0]);
  close(wire[1]);
}

TEST_F(RightsTest, MoreAreRefusedBeforeAnythingIsSent) {
  const std::vector<int> fds(rights::kMost + 1, ends_[0]);
  EXPECT_EQ(rights::Send(ends_[0], "x", 1, fds.data(), fds.size()), -1);
  EXPECT_EQ(errno, EINVAL);
  char byte;
  EXPECT_EQ(recv(ends_[1], &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(RightsTest, BytesMayComeWithoutAny) {
  ASSERT_EQ(rights::Send(ends_[0], "x", 1, nullptr, 0), 1);
  int fd;
  size_t count = 1;
  char byte;
  EXPECT_EQ(rights::Receive(ends_[1], &byte, 1, &fd, &count), 1);
  EXPECT_EQ(count, 0u);
}

TEST_F(RightsTest, NobodyThereIsNoSignal) {
  shutdown(ends_[1], SHUT_RD);
  EXPECT_EQ(rights::Send(ends_[0], "x", 1, ends_, 1), -1);
  EXPECT_EQ(errno, EPIPE);
  shutdown(ends_[0], SHUT_WR);
  int fd;
  size_t count = 1;
  char byte;
  EXPECT_EQ(rights::Receive(ends_[1], &byte, 1, &fd, &count), 0);
}

}  // namespace truefork
