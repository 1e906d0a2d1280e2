#include <netinet/in.h>
#include <sys/socket.h>

#include "server/spares.h"
#include "support/clock.h"
#include "test/subject.h"

namespace truefork {

namespace {

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

// A pool with a worker in it that never was a process.
class PoolTest : public testing::Test {
 protected:
  // The worker's end of its line.
  int AddIdle(Pool& pool, pid_t pid) {
    int ends[2];
    EXPECT_TRUE(OpenLine(ends));
    pool.AddIdle({pid, ends[0], 0});
    lines_.push_back(ends[1]);
    return ends[1];
  }
  ~PoolTest() override {
    for (const int line : lines_) close(line);
  }

  std::vector<int> lines_;
  Connection Of(uint64_t id) const { return {connection_.fds[0], id, Peer(), Local(), {}}; }

  test::SocketPair connection_;
};

bool IsClosed(int line) { return !ReceiveConnection(line); }

}  // namespace

TEST_F(PoolTest, ConnectionArrivesWithItsDescriptorAndItsPeer) {
  Pool pool({1, 1, 1});
  const int line = AddIdle(pool, 7);
  const auto worker = pool.HandOver(Of(42), NowMicros());
  ASSERT_TRUE(worker);
  EXPECT_EQ(worker->pid, 7);
  const auto handover = ReceiveConnection(line);
  ASSERT_TRUE(handover);
  EXPECT_EQ(handover->id, 42u);
  EXPECT_EQ(handover->peer.Host(), "192.0.2.7");
  EXPECT_EQ(handover->peer.Port(), 4711);
  EXPECT_TRUE(handover->isLast);
  EXPECT_EQ(write(handover->fd, "x", 1), 1);
  char byte;
  EXPECT_EQ(read(connection_.fds[1], &byte, 1), 1);
  close(handover->fd);
  EXPECT_TRUE(IsClosed(line));
}

TEST_F(PoolTest, WorkerThatIsGoneIsPassedBy) {
  Pool pool({2, 2, 1});
  close(AddIdle(pool, 8));
  lines_.pop_back();
  AddIdle(pool, 7);
  const auto worker = pool.HandOver(Of(1), NowMicros());
  ASSERT_TRUE(worker);
  EXPECT_EQ(worker->pid, 7);
  EXPECT_FALSE(pool.HandOver(Of(2), NowMicros()));
}

TEST_F(PoolTest, WhoHasServedComesFirstThenWhoHasWaitedLongest) {
  Pool pool({3, 3, 10});
  const pid_t self = getpid();
  int busy[2];
  ASSERT_TRUE(OpenLine(busy));
  AddIdle(pool, 1);
  AddIdle(pool, 2);
  pool.AddBusy({self, busy[0], 0, 1});
  ASSERT_EQ(send(pool.doneLine(), &self, sizeof self, 0), ssize_t(sizeof self));
  ASSERT_TRUE(pool.NextDone());
  for (const pid_t expected : {self, 1, 2}) EXPECT_EQ(pool.HandOver(Of(1), NowMicros())->pid, expected);
  close(busy[1]);
}

TEST_F(PoolTest, GrowsWhenItWasEmptyAndShrinksWhenNobodyComes) {
  Pool pool({1, 4, 1});
  const int64_t now = NowMicros();
  const int64_t soon = now + 1'000'000;
  EXPECT_TRUE(pool.WantsMore(0, 100, now));
  for (int missed = 0; missed < 5; missed++) pool.HandOver(Of(1), now);
  EXPECT_FALSE(pool.WantsMore(0, 100, now)) << "the connection that came has the CPU first";
  std::vector<int> lines;
  for (pid_t pid = 1; pool.WantsMore(pool.idle(), 100, soon); pid++) lines.push_back(AddIdle(pool, pid));
  EXPECT_EQ(pool.idle(), 4u);
  pool.Trim(soon);
  EXPECT_EQ(pool.idle(), 4u);
  EXPECT_GT(pool.NextDeadline(), soon);
  pool.Trim(pool.NextDeadline());
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_TRUE(IsClosed(lines[3]));
  EXPECT_EQ(pool.NextDeadline(), 0);
}

TEST_F(PoolTest, NeverWantsMoreProcessesThanThereMayBe) {
  const Pool pool({4, 4, 1});
  EXPECT_TRUE(pool.WantsMore(9, 10, NowMicros()));
  EXPECT_FALSE(pool.WantsMore(10, 10, NowMicros()));
}

TEST_F(PoolTest, OneThatFailsWhileItWaitsDelaysTheNext) {
  Pool pool({1, 1, 1});
  int64_t now = NowMicros();
  int64_t pause = 0;
  for (int failure = 0; failure < 5; failure++) {
    AddIdle(pool, 7);
    pool.Forget(7, now);
    EXPECT_FALSE(pool.WantsMore(0, 10, now));
    EXPECT_GT(pool.NextDeadline() - now, pause);
    pause = pool.NextDeadline() - now;
    now = pool.NextDeadline();
    EXPECT_TRUE(pool.WantsMore(0, 10, now));
  }
}

TEST_F(PoolTest, WorkerThatIsDoneIsIdleAgainUntilItsLast) {
  Pool pool({0, 0, 2});
  const pid_t self = getpid();
  int ends[2];
  ASSERT_TRUE(OpenLine(ends));
  pool.AddBusy({self, ends[0], 3, 1});
  EXPECT_FALSE(pool.NextDone());
  ASSERT_EQ(send(pool.doneLine(), &self, sizeof self, 0), ssize_t(sizeof self));
  const auto done = pool.NextDone();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->slot, 3u);
  EXPECT_EQ(pool.idle(), 1u);
  ASSERT_TRUE(pool.HandOver(Of(2), NowMicros()));
  EXPECT_EQ(pool.idle(), 0u);
  const auto last = ReceiveConnection(ends[1]);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->isLast);
  close(last->fd);
  close(ends[1]);
}

TEST_F(PoolTest, TheDismissedLeaveAtOnceAndTheBusyWhenTheyAreDone) {
  Pool pool({1, 1, 10});
  const pid_t self = getpid();
  const int idle = AddIdle(pool, 7);
  int busy[2];
  ASSERT_TRUE(OpenLine(busy));
  pool.AddBusy({self, busy[0], 0, 1});
  pool.Dismiss();
  EXPECT_TRUE(IsClosed(idle));
  ASSERT_EQ(send(pool.doneLine(), &self, sizeof self, 0), ssize_t(sizeof self));
  EXPECT_TRUE(pool.NextDone());
  EXPECT_TRUE(IsClosed(busy[1]));
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_FALSE(pool.WantsMore(0, 10, NowMicros()));
  close(busy[1]);
}

}  // namespace truefork
