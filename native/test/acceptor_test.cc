#include "server/acceptor.h"

#include <errno.h>
#include <poll.h>

#include "support/faults.h"
#include "test/loopback.h"
#include "test/owner.h"
#include "test/server.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;
using protocol::Record;
using test::Client;

// An acceptor with a real listener, and its owner.
struct AcceptorTest : testing::Test {
  AcceptorTest() {
    const char* failed = nullptr;
    EXPECT_TRUE(acceptor.Listen(&failed)) << failed;
  }
  ~AcceptorTest() override { acceptor.CloseDescriptors(); }

  std::optional<Connection> Accept(size_t serving = 0) { return acceptor.Accept(true, serving, now); }
  bool IsReady(size_t serving = 0) {
    pollfd listening{acceptor.PollFd(serving, now), POLLIN, 0};
    return poll(&listening, 1, 1000) == 1;
  }
  size_t Count(Record kind) {
    channel.Flush();
    return owner.Count(kind);
  }

  test::Owner owner;
  Channel channel{owner.channel()};
  Reports reports{channel};
  Admission admission;
  Refusals refusals{reports};
  int listener = test::Bind();
  uint16_t port = test::PortOf(listener);
  Acceptor acceptor{{{listener, 16}}, admission, refusals, reports};
  Time now = Now();
};

}  // namespace

TEST_F(AcceptorTest, NothingIsAcceptedBeforeBegin) {
  Client client(port);
  EXPECT_EQ(acceptor.PollFd(0, now), -1);
  EXPECT_FALSE(Accept());
  acceptor.Begin(41);
  EXPECT_TRUE(IsReady());
  const auto accepted = Accept();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->id, 41u);
  EXPECT_EQ(accepted->host, "127.0.0.1");
  EXPECT_EQ(accepted->peer.Port(), client.port());
  EXPECT_EQ(accepted->local.Port(), port);
  close(accepted->fd);
}

TEST_F(AcceptorTest, ListenerLeavesThePollAtTheMaximum) {
  admission.capacity().SetMaximum(3);
  acceptor.Begin(1);
  Client client(port);
  EXPECT_EQ(acceptor.PollFd(3, now), -1);
  EXPECT_FALSE(Accept(3));
  EXPECT_FALSE(acceptor.NextDeadline(3, now).IsSet()) << "only the end of a child changes that";
  const auto accepted = Accept(2);
  ASSERT_TRUE(accepted);
  close(accepted->fd);
}

TEST_F(AcceptorTest, ConnectionHeldBackComesFirstAndAfterAWait) {
  acceptor.Begin(1);
  Client first(port), second(port);
  const auto accepted = Accept();
  ASSERT_TRUE(accepted);
  acceptor.HoldBack(*accepted, EAGAIN, now);
  EXPECT_TRUE(acceptor.IsHoldingBack());
  EXPECT_FALSE(Accept());
  EXPECT_EQ(acceptor.PollFd(0, now), -1);
  const Deadline retry = acceptor.NextDeadline(0, now);
  ASSERT_TRUE(retry.IsSet());
  now = retry.when();
  EXPECT_TRUE(acceptor.NextDeadline(0, now).HasPassed(now));
  const auto again = acceptor.Accept(false, 0, now);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, accepted->id);
  EXPECT_FALSE(acceptor.IsHoldingBack());
  close(again->fd);
  const auto other = Accept();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->id, accepted->id + 1);
  close(other->fd);
}

TEST_F(AcceptorTest, TroubleIsReportedOnceUntilAForkSucceeds) {
  acceptor.Begin(1);
  Client client(port);
  auto accepted = Accept();
  ASSERT_TRUE(accepted);
  for (int i = 0; i < 3; i++) {
    acceptor.HoldBack(*accepted, EAGAIN, now);
    acceptor.RetryNow();
    accepted = Accept();
    ASSERT_TRUE(accepted);
  }
  EXPECT_EQ(Count(Record::Trouble), 1u);
  acceptor.OnForkSuccess();
  acceptor.HoldBack(*accepted, ENOMEM, now);
  EXPECT_EQ(Count(Record::Trouble), 2u);
  acceptor.DropHeldBack(now);
  EXPECT_EQ(client.Receive(1), "");
}

TEST_F(AcceptorTest, ErrorOfOneClientIsNoTrouble) {
  acceptor.Begin(1);
  Client client(port);
  faults::Arm(faults::Call::Accept, ECONNABORTED, 1, 0);
  EXPECT_FALSE(Accept());
  EXPECT_EQ(Count(Record::Trouble), 0u);
  const auto accepted = Accept();
  ASSERT_TRUE(accepted);
  close(accepted->fd);
}

TEST_F(AcceptorTest, DrainAcceptsTheBacklogAndNoMore) {
  acceptor.Begin(1);
  Client first(port), second(port);
  acceptor.BeginDrain();
  EXPECT_FALSE(acceptor.HasDrained());
  for (int i = 0; i < 2; i++) {
    EXPECT_TRUE(acceptor.NextDeadline(0, now).HasPassed(now)) << "it does not wait for a client";
    const auto accepted = acceptor.Accept(false, 0, now);
    ASSERT_TRUE(accepted);
    close(accepted->fd);
  }
  EXPECT_FALSE(acceptor.Accept(false, 0, now));
  EXPECT_TRUE(acceptor.HasDrained());
  Client late(port);
  EXPECT_FALSE(Accept());
  EXPECT_EQ(acceptor.PollFd(0, now), -1);
  acceptor.Close();
  EXPECT_FALSE(acceptor.IsOpen());
  EXPECT_EQ(late.Receive(1), "");
}

// A drain that clients keep alive would have no end.
TEST_F(AcceptorTest, DrainEndsThoughClientsKeepComing) {
  acceptor.Begin(1);
  acceptor.BeginDrain();
  int accepted = 0;
  while (!acceptor.HasDrained() && accepted < 100) {
    Client client(port);
    if (const auto one = acceptor.Accept(false, 0, now)) close(one->fd);
    accepted++;
  }
  EXPECT_EQ(accepted, 16) << "the backlog cannot have held more";
}

TEST_F(AcceptorTest, OwnerThatDoesNotReadStopsAccepting) {
  acceptor.Begin(1);
  Client client(port);
  while (!reports.IsCongested()) reports.Pong();
  EXPECT_EQ(acceptor.PollFd(0, now), -1);
  EXPECT_FALSE(Accept());
}

TEST_F(AcceptorTest, RefusedClientIsAnsweredAndCounted) {
  acceptor.Begin(1);
  ASSERT_TRUE(admission.SetRules("deny 127.0.0.0/8"));
  refusals.SetPolicy(protocol::Reason::Address, protocol::Policy::Refuse, "not you\n");
  Client client(port);
  EXPECT_FALSE(Accept());
  EXPECT_EQ(client.Receive(8), "not you\n");
  EXPECT_TRUE(refusals.NextDeadline().HasPassed(now));
  refusals.Enforce(now);
  channel.Flush();
  const auto refused = owner.All<protocol::RefusedRecord>(Record::Refused);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].count, 1u);
  EXPECT_EQ(refused[0].remotePort, client.port());
}

// The second record comes a second after the first, with all that was refused meanwhile.
TEST_F(AcceptorTest, RefusalsAreReportedOnceASecond) {
  acceptor.Begin(1);
  ASSERT_TRUE(admission.SetRules("deny 127.0.0.0/8"));
  for (int i = 0; i < 5; i++) {
    Client client(port);
    EXPECT_FALSE(Accept());
    refusals.Enforce(now);
  }
  EXPECT_EQ(Count(Record::Refused), 1u);
  const Deadline next = refusals.NextDeadline();
  EXPECT_EQ(next, Deadline(now + 1s));
  refusals.Enforce(next.when());
  EXPECT_EQ(Count(Record::Refused), 2u);
  EXPECT_EQ(owner.All<protocol::RefusedRecord>(Record::Refused)[1].count, 4u);
  EXPECT_FALSE(refusals.NextDeadline().IsSet());
}

}  // namespace truefork
