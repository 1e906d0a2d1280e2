#include "server/shutdown.h"

#include <signal.h>

#include "test/loopback.h"
#include "test/owner.h"
#include "test/server.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;

// A shutdown of real children and a real listener.
struct ShutdownTest : testing::Test {
  ShutdownTest() {
    const char* failed = nullptr;
    EXPECT_TRUE(acceptor.Listen(&failed)) << failed;
    acceptor.Begin(1);
  }
  ~ShutdownTest() override {
    children.Signal(SIGKILL);
    acceptor.CloseDescriptors();
  }

  void SetKillDelay(Duration delay) {
    ConnectionTimeouts::Times times;
    times.killDelay = delay;
    timeouts.SetTimes(times);
  }

  // A child that serves, and that only SIGKILL ends.
  pid_t AddChild() {
    test::SocketPair ready;
    const pid_t pid = test::Spawn([&] {
      signal(SIGTERM, [](int) {});
      acceptor.CloseDescriptors();
      ready.Close(0);
      ready.Close(1);
      for (;;) pause();
    });
    ready.Close(1);
    char byte;
    EXPECT_EQ(read(ready.fds[0], &byte, 1), 0);
    const uint32_t slot = slots.Take();
    children.Add(pid, slot);
    children.BeginServing(pid, {1, now, {}});
    timeouts.Watch(slot, pid, -1, {});
    return pid;
  }

  // Waits until a child has ended; the limit that is recorded for it.
  protocol::Limit LimitOfEnd() {
    std::optional<protocol::Limit> limit;
    EXPECT_TRUE(test::Eventually([&] {
      children.Reap(Now(),
                    [&](const EndedChild& ended) { limit = timeouts.Unwatch(ended.child.slot).limit; });
      return limit.has_value();
    }));
    return limit.value_or(protocol::Limit::None);
  }

  test::Owner owner;
  Channel channel{owner.channel()};
  Reports reports{channel};
  Admission admission;
  Refusals refusals{reports};
  int listener = test::Bind();
  uint16_t port = test::PortOf(listener);
  Acceptor acceptor{{{listener, 16}}, admission, refusals, reports};
  Spares spares{{}};
  Children children;
  Slots slots{8};
  const ProcessTree tree;
  ConnectionTimeouts timeouts{slots, tree};
  Shutdown shutdown{acceptor, spares, children, timeouts};
  Time now = Now();
};

}  // namespace

TEST_F(ShutdownTest, WithoutChildrenItIsOverOnceTheBacklogIsEmpty) {
  EXPECT_FALSE(shutdown.HasBegun());
  EXPECT_FALSE(shutdown.NextDeadline().IsSet());
  shutdown.Stop(1h, now);
  EXPECT_TRUE(shutdown.HasBegun());
  EXPECT_FALSE(shutdown.IsOver());
  EXPECT_FALSE(acceptor.Accept(false, 0, now));
  EXPECT_TRUE(shutdown.NextDeadline().HasPassed(now));
  shutdown.Enforce(now);
  EXPECT_TRUE(shutdown.IsOver());
  EXPECT_TRUE(test::IsRefused(port));
}

TEST_F(ShutdownTest, GraceThenSigtermThenSigkill) {
  SetKillDelay(5s);
  AddChild();
  shutdown.Stop(10s, now);
  shutdown.Enforce(now + 9s);
  EXPECT_TRUE(acceptor.IsOpen()) << "it drains as long";
  EXPECT_EQ(shutdown.NextDeadline(), Deadline(now + 10s));
  shutdown.Enforce(now + 10s);
  EXPECT_FALSE(acceptor.IsOpen());
  EXPECT_EQ(shutdown.NextDeadline(), Deadline(now + 15s));
  EXPECT_FALSE(shutdown.IsOver());
  shutdown.Enforce(now + 15s);
  EXPECT_EQ(LimitOfEnd(), protocol::Limit::Grace);
  EXPECT_TRUE(shutdown.IsOver());
  EXPECT_FALSE(shutdown.NextDeadline().IsSet());
}

TEST_F(ShutdownTest, WithoutDelaySigkillComesAtOnce) {
  AddChild();
  shutdown.Stop(0s, now);
  shutdown.Enforce(now);
  EXPECT_EQ(LimitOfEnd(), protocol::Limit::Grace);
}

TEST_F(ShutdownTest, SecondStopSetsANewGrace) {
  SetKillDelay(5s);
  AddChild();
  shutdown.Stop(1h, now);
  shutdown.Stop(1s, now);
  EXPECT_EQ(shutdown.NextDeadline(), Deadline(now + 1s));
}

TEST_F(ShutdownTest, RetireClosesAtOnceAndWaitsForChildren) {
  AddChild();
  shutdown.Retire();
  EXPECT_TRUE(test::IsRefused(port));
  EXPECT_FALSE(shutdown.IsOver());
  EXPECT_FALSE(shutdown.NextDeadline().IsSet());
  shutdown.Kill(now);
  EXPECT_EQ(LimitOfEnd(), protocol::Limit::None);
  EXPECT_TRUE(shutdown.IsOver());
}

TEST_F(ShutdownTest, KillDropsTheConnectionHeldBack) {
  test::Client client(port);
  const auto accepted = acceptor.Accept(true, 0, now);
  ASSERT_TRUE(accepted);
  acceptor.HoldBack(*accepted, EAGAIN, now);
  shutdown.Retire();
  EXPECT_FALSE(shutdown.IsOver()) << "it is still to be served";
  shutdown.Kill(now);
  EXPECT_TRUE(shutdown.IsOver());
  EXPECT_EQ(client.Receive(1), "");
}

}  // namespace truefork
