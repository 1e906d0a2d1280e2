#include "server/spares.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "protocol/handoff.h"
#include "support/time.h"
#include "test/subject.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;

Address Peer() {
  Address peer;
  ParseIp("192.0.2.7", 4711, &peer);
  return peer;
}

Address Local() {
  Address local;
  UnixAddress("/run/a.sock", &local);
  return local;
}

// Spares with workers in it that never were processes.
class SparesTest : public testing::Test {
 protected:
  // The worker's end of its channel.
  int AddIdle(Spares& spares, pid_t pid) {
    int ends[2];
    EXPECT_TRUE(OpenHandoffChannel(ends));
    spares.AddIdle({pid, ends[0], 0}, Now());
    channels_.push_back(ends[1]);
    return ends[1];
  }
  ~SparesTest() override {
    for (const int channel : channels_) close(channel);
  }

  std::vector<int> channels_;
  Connection Of(uint64_t id) const { return {connection_.fds[0], id, Peer(), Local(), {}}; }

  test::SocketPair connection_;
};

bool IsClosed(int channel) { return !ReceiveHandoff(channel); }

}  // namespace

TEST_F(SparesTest, ConnectionArrivesWithItsDescriptorAndItsPeer) {
  Spares spares({1, 1, 1});
  const int channel = AddIdle(spares, 7);
  const auto worker = spares.HandOff(Of(42), Now());
  ASSERT_TRUE(worker);
  EXPECT_EQ(worker->pid, 7);
  const auto handoff = ReceiveHandoff(channel);
  ASSERT_TRUE(handoff);
  EXPECT_EQ(handoff->id, 42u);
  EXPECT_EQ(handoff->peer.Host(), "192.0.2.7");
  EXPECT_EQ(handoff->peer.Port(), 4711);
  EXPECT_TRUE(handoff->isLast);
  EXPECT_EQ(write(handoff->fd, "x", 1), 1);
  char byte;
  EXPECT_EQ(read(connection_.fds[1], &byte, 1), 1);
  close(handoff->fd);
  EXPECT_TRUE(IsClosed(channel));
}

TEST_F(SparesTest, WorkerThatHasEndedIsPassedOver) {
  Spares spares({2, 2, 1});
  close(AddIdle(spares, 8));
  channels_.pop_back();
  AddIdle(spares, 7);
  const auto worker = spares.HandOff(Of(1), Now());
  ASSERT_TRUE(worker);
  EXPECT_EQ(worker->pid, 7);
  EXPECT_FALSE(spares.HandOff(Of(2), Now()));
}

TEST_F(SparesTest, ThoseThatHaveServedComeFirstThenTheOneThatHasWaitedLongest) {
  Spares spares({3, 3, 10});
  const pid_t self = getpid();
  int busy[2];
  ASSERT_TRUE(OpenHandoffChannel(busy));
  AddIdle(spares, 1);
  AddIdle(spares, 2);
  spares.AddBusy({self, busy[0], 0, 1});
  SendDone(busy[1]);
  ASSERT_TRUE(spares.NextDone(Now()));
  for (const pid_t expected : {self, 1, 2}) EXPECT_EQ(spares.HandOff(Of(1), Now())->pid, expected);
  close(busy[1]);
}

TEST_F(SparesTest, GrowsWhenThereWasNoneAndShrinksWhenNoClientComes) {
  Spares spares({1, 4, 1});
  const Time now = Now();
  const Time soon = now + 1s;
  EXPECT_TRUE(spares.WantsMore(0, 100, now));
  for (int missed = 0; missed < 5; missed++) spares.HandOff(Of(1), now);
  EXPECT_FALSE(spares.WantsMore(0, 100, now)) << "the connection that came gets the CPU first";
  std::vector<int> channels;
  for (pid_t pid = 1; spares.WantsMore(spares.idle(), 100, soon); pid++)
    channels.push_back(AddIdle(spares, pid));
  EXPECT_EQ(spares.idle(), 4u);
  spares.Trim(soon);
  EXPECT_EQ(spares.idle(), 4u);
  const Deadline idleTooLong = spares.NextDeadline(soon);
  EXPECT_FALSE(idleTooLong.HasPassed(soon));
  spares.Trim(idleTooLong.when());
  EXPECT_EQ(spares.idle(), 1u);
  EXPECT_TRUE(IsClosed(channels[3]));
  EXPECT_FALSE(spares.NextDeadline(idleTooLong.when()).IsSet());
}

TEST_F(SparesTest, NeverWantsMoreProcessesThanTheMaximum) {
  const Spares spares({4, 4, 1});
  EXPECT_TRUE(spares.WantsMore(9, 10, Now()));
  EXPECT_FALSE(spares.WantsMore(10, 10, Now()));
}

TEST_F(SparesTest, SpareThatFailsWhileItWaitsDelaysTheNext) {
  Spares spares({1, 1, 1});
  Time now = Now();
  Duration wait{0};
  for (int failure = 0; failure < 5; failure++) {
    AddIdle(spares, 7);
    spares.Forget(7, now);
    EXPECT_FALSE(spares.WantsMore(0, 10, now));
    EXPECT_TRUE(spares.NextDeadline(now).when() - now > wait);
    wait = spares.NextDeadline(now).when() - now;
    now = spares.NextDeadline(now).when();
    EXPECT_TRUE(spares.WantsMore(0, 10, now));
  }
}

TEST_F(SparesTest, WorkerThatIsDoneIsIdleAgainUntilItsLast) {
  Spares spares({0, 0, 2});
  const pid_t self = getpid();
  int ends[2];
  ASSERT_TRUE(OpenHandoffChannel(ends));
  spares.AddBusy({self, ends[0], 3, 1});
  EXPECT_FALSE(spares.NextDone(Now()));
  SendDone(ends[1]);
  const auto done = spares.NextDone(Now());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->slot, 3u);
  EXPECT_EQ(spares.idle(), 1u);
  ASSERT_TRUE(spares.HandOff(Of(2), Now()));
  EXPECT_EQ(spares.idle(), 0u);
  const auto last = ReceiveHandoff(ends[1]);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->isLast);
  close(last->fd);
  close(ends[1]);
}

TEST_F(SparesTest, IdleOnesAreDismissedAtOnceAndBusyOnesWhenTheyAreDone) {
  Spares spares({1, 1, 10});
  const pid_t self = getpid();
  const int idle = AddIdle(spares, 7);
  int busy[2];
  ASSERT_TRUE(OpenHandoffChannel(busy));
  spares.AddBusy({self, busy[0], 0, 1});
  spares.DismissAll();
  EXPECT_TRUE(IsClosed(idle));
  SendDone(busy[1]);
  EXPECT_TRUE(spares.NextDone(Now()));
  EXPECT_TRUE(IsClosed(busy[1]));
  EXPECT_EQ(spares.idle(), 0u);
  EXPECT_FALSE(spares.WantsMore(0, 10, Now()));
  close(busy[1]);
}

// It says "done", and says it of itself alone: the channel tells who it is.
TEST_F(SparesTest, WorkerThatSaysSomethingElseGetsNoFurtherConnection) {
  Spares spares({0, 0, 10});
  int ends[2];
  ASSERT_TRUE(OpenHandoffChannel(ends));
  spares.AddBusy({41, ends[0], 0, 1});
  const pid_t other = 42;
  ASSERT_EQ(send(ends[1], &other, sizeof other, 0), ssize_t(sizeof other));
  EXPECT_FALSE(spares.NextDone(Now()));
  EXPECT_TRUE(IsClosed(ends[1]));
  EXPECT_FALSE(spares.HandOff(Of(1), Now()));
  close(ends[1]);
}

TEST_F(SparesTest, WorkerThatClosesItsChannelIsNotWaitedFor) {
  Spares spares({0, 0, 10});
  int ends[2];
  ASSERT_TRUE(OpenHandoffChannel(ends));
  spares.AddBusy({41, ends[0], 0, 1});
  close(ends[1]);
  EXPECT_FALSE(spares.NextDone(Now()));
  pollfd done{spares.doneFd(), POLLIN, 0};
  EXPECT_EQ(poll(&done, 1, 0), 0) << "poll would return at once, again and again";
}

TEST_F(SparesTest, IdleWorkerThatSaysSomethingIsDismissed) {
  Spares spares({1, 1, 10});
  const int channel = AddIdle(spares, 41);
  SendDone(channel);
  EXPECT_FALSE(spares.NextDone(Now()));
  EXPECT_EQ(spares.idle(), 0u);
  EXPECT_TRUE(IsClosed(channel));
}

}  // namespace truefork
