#include "protocol/handoff.h"

#include <sys/socket.h>

#include "test/subject.h"

namespace truefork {

namespace {

class HandoffTest : public testing::Test {
 protected:
  HandoffTest() { EXPECT_TRUE(OpenHandoffChannel(ends_)); }
  ~HandoffTest() override {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  int zygote() const { return ends_[0]; }
  int worker() const { return ends_[1]; }
  void Close(int end) { close(std::exchange(ends_[end], -1)); }

  int ends_[2];
  Done done_;
};

}  // namespace

TEST_F(HandoffTest, DescriptorAndDescriptionArrive) {
  test::SocketPair connection;
  Handoff sent{connection.fds[0], 42, {}, {}, true};
  ASSERT_TRUE(ParseIp("192.0.2.7", 4711, &sent.peer));
  ASSERT_TRUE(SendHandoff(zygote(), sent));
  const auto received = ReceiveHandoff(worker());
  ASSERT_TRUE(received);
  EXPECT_NE(received->fd, connection.fds[0]);
  EXPECT_EQ(received->id, 42u);
  EXPECT_EQ(received->peer.Host(), "192.0.2.7");
  EXPECT_TRUE(received->isLast);
  EXPECT_EQ(write(received->fd, "x", 1), 1);
  char byte;
  EXPECT_EQ(read(connection.fds[1], &byte, 1), 1);
  close(received->fd);
}

TEST_F(HandoffTest, WorkerFindsAClosedChannel) {
  Close(0);
  EXPECT_FALSE(ReceiveHandoff(worker()));
  SendDone(worker());  // no SIGPIPE
}

TEST_F(HandoffTest, ZygoteFindsAClosedChannel) {
  Done done;
  Close(1);
  test::SocketPair connection;
  EXPECT_FALSE(SendHandoff(zygote(), {connection.fds[0], 1, {}, {}, false}));
  EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::Gone);
}

TEST_F(HandoffTest, DoneIsHeardOnceAndWithoutWaiting) {
  Done done;
  EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::None);
  SendDone(worker());
  EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::Done);
  EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::None);
}

TEST_F(HandoffTest, AnythingElseIsNoAnswer) {
  Done done;
  for (const std::string& answer :
       {std::string("x"), std::string("dd"), std::string(100, 'd'), std::string()}) {
    ASSERT_EQ(send(worker(), answer.data(), answer.size(), 0), ssize_t(answer.size()));
    EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::Gone) << answer.size();
  }
}

// A worker that floods its channel fills the channel, and nothing else.
TEST_F(HandoffTest, SendDoneNeverWaits) {
  Done done;
  for (int i = 0; i < 10'000; i++) SendDone(worker());
  EXPECT_EQ(ReceiveDone(zygote(), done), WorkerAnswer::Done);
}

}  // namespace truefork
