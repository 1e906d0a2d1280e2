// Limits of time on real children of a real loop, and of real connections.
#include "server/limits/connection_timeouts.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "child/traffic.h"
#include "support/time.h"
#include "test/server.h"

namespace truefork {

namespace {

using protocol::Limit;
using protocol::Record;
using test::Client;
using test::Describe;
using test::Eventually;
using test::Options;
using test::Server;

constexpr uint32_t kLong = 60'000;
// Many times as long as a loaded machine keeps a process waiting between two bytes.
constexpr uint32_t kShort = 500;
constexpr uint32_t kIdle = 1'000;

// As a blocking handler does it.
void CountingEcho(const Connection& connection) {
  char chunk[4096];
  ssize_t size;
  while ((size = recv(connection.fd, chunk, sizeof chunk, 0)) > 0) {
    traffic::Received(size);
    if (send(connection.fd, chunk, size, MSG_NOSIGNAL) < 0) return;
    traffic::Sent(connection.fd, size);
  }
}

// A server under these limits of time, in milliseconds: first byte, silence, in all, from SIGTERM to SIGKILL.
struct Limited : Server {
  explicit Limited(protocol::TimesCommand times, std::function<void(const Connection&)> serve = CountingEcho)
      : Server([&] {
          Options options;
          options.serve = std::move(serve);
          return options;
        }()) {
    Set(times);
  }

  void Set(protocol::TimesCommand times) { Command(protocol::Command::Times, times); }

  protocol::ExitRecord Exit() {
    EXPECT_TRUE(Says(Record::Exit));
    const auto exits = Exits();
    return exits.empty() ? protocol::ExitRecord{} : exits.back();
  }
};

Limit LimitOf(const protocol::ExitRecord& exit) { return static_cast<Limit>(exit.limit); }

}  // namespace

TEST(ConnectionTimeoutsTest, RecordsBytesBothWays) {
  Limited server({});
  Client client(server);
  EXPECT_EQ(client.Exchange("hello"), "hello");
  EXPECT_EQ(client.End(), "");
  const auto exit = server.Exit();
  EXPECT_EQ(exit.bytesIn, 5u);
  EXPECT_EQ(exit.bytesOut, 5u);
  EXPECT_EQ(LimitOf(exit), Limit::None);
}

TEST(ConnectionTimeoutsTest, FirstByte) {
  Limited server({kShort, 0, 0, kLong});
  Client silent(server), talks(server);
  EXPECT_EQ(talks.Exchange("hello"), "hello");
  const auto exit = server.Exit();
  EXPECT_EQ(LimitOf(exit), Limit::FirstByte);
  EXPECT_EQ(Describe(exit.status), "Terminated");
  EXPECT_GE(exit.durationUs, kShort * 1000);
  EXPECT_EQ(exit.bytesIn, 0u);
  EXPECT_EQ(silent.Receive(1), "");
  EXPECT_EQ(talks.Exchange("still here"), "still here");  // it has no further limit
  EXPECT_EQ(server.Exits().size(), 1u);
}

TEST(ConnectionTimeoutsTest, Idle) {
  Limited server({0, kIdle, 0, kLong});
  Client client(server);
  const Time since = Now();
  Time last = since;
  while (Now() - since < Duration(3'000 * kIdle)) {  // three times as long as it may be silent
    last = Now();
    ASSERT_EQ(client.Exchange("a"), "a");
    usleep(20'000);
  }
  EXPECT_EQ(client.Receive(1), "");
  EXPECT_TRUE(Now() - last >= Duration(1'000 * kIdle));
  const auto exit = server.Exit();
  EXPECT_EQ(LimitOf(exit), Limit::Idle);
  EXPECT_GT(exit.bytesIn, 1u);
  EXPECT_EQ(exit.bytesIn, exit.bytesOut);
}

TEST(ConnectionTimeoutsTest, ConnectionInAll) {
  Limited server({kShort, kShort, 3 * kShort, kLong});
  Client client(server);
  while (client.Exchange("a") == "a") usleep(5'000);
  const auto exit = server.Exit();
  EXPECT_EQ(LimitOf(exit), Limit::Connection);
  EXPECT_GE(exit.durationUs, 3'000 * kShort);
}

TEST(ConnectionTimeoutsTest, SigtermIsFollowedBySigkill) {
  Limited server({0, 0, kShort, kShort}, [](const Connection&) {
    signal(SIGTERM, SIG_IGN);
    for (volatile bool ever = true; ever;) continue;
  });
  Client client(server);
  const auto exit = server.Exit();
  EXPECT_EQ(Describe(exit.status), "Killed");
  EXPECT_EQ(LimitOf(exit), Limit::Connection);
  EXPECT_GE(exit.durationUs, 2'000 * kShort);
}

TEST(ConnectionTimeoutsTest, WithoutDelayItIsSigkillAtOnce) {
  Limited server({kShort, 0, 0, 0});
  Client client(server);
  EXPECT_EQ(Describe(server.Exit().status), "Killed");
}

// It obeys SIGTERM, and exits as it likes: the record says all the same why it had to.
TEST(ConnectionTimeoutsTest, LimitIsNamedHoweverTheChildEnds) {
  Limited server({0, kShort, 0, kLong}, [](const Connection&) {
    signal(SIGTERM, [](int) { _exit(3); });
    for (;;) pause();
  });
  Client client(server);
  const auto exit = server.Exit();
  EXPECT_EQ(Describe(exit.status), "exit 3");
  EXPECT_EQ(LimitOf(exit), Limit::Idle);
}

// The slot says that nothing came, the kernel that something did.
TEST(ConnectionTimeoutsTest, ChildThatHangsBeforeItReadsIsNotCalledASilentClient) {
  Limited server({kShort, 0, 3 * kShort, kLong}, [](const Connection&) {
    for (;;) pause();
  });
  Client client(server);
  client.Send("hello");
  const auto exit = server.Exit();
  EXPECT_EQ(LimitOf(exit), Limit::Connection);
  EXPECT_EQ(exit.bytesIn, 5u);
}

// A program that knows nothing of slots: the kernel's word is all there is.
TEST(ConnectionTimeoutsTest, SilenceOfAProgramThatWritesToNoSlot) {
  Limited server({kShort, kIdle, 0, kLong}, [](const Connection& connection) {
    dup2(connection.fd, 0);
    dup2(connection.fd, 1);
    execlp("cat", "cat", nullptr);
  });
  Client client(server);
  const Time since = Now();
  while (Now() - since < Duration(3'000 * kIdle)) {
    ASSERT_EQ(client.Exchange("a"), "a");
    usleep(20'000);
  }
  EXPECT_EQ(client.Receive(1), "");
  const auto exit = server.Exit();
  EXPECT_EQ(LimitOf(exit), Limit::Idle);
  EXPECT_GT(exit.bytesIn, 1u);
}

// All was written at once; then it takes the client a while to read it, and the child is silent.
TEST(ConnectionTimeoutsTest, SlowReaderIsNotIdleWhileItReads) {
  constexpr size_t kSize = 2 << 20;
  Limited server({0, kIdle, 0, kLong}, [](const Connection& connection) {
    const int room = 4 << 20;
    setsockopt(connection.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    const std::string text(kSize, 'x');
    traffic::Sent(connection.fd, send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL));
    for (;;) pause();
  });
  Client client(server);
  size_t received = 0;
  for (std::string some; !(some = client.Receive(64 << 10)).empty(); received += some.size()) usleep(100'000);
  EXPECT_EQ(received, kSize);  // which took it three times as long as it may be silent
  EXPECT_EQ(LimitOf(server.Exit()), Limit::Idle);
}

TEST(ConnectionTimeoutsTest, TimesCanBeChangedWhileConnectionsLast) {
  Limited server({kLong, kLong, kLong, kLong});
  Client client(server);
  EXPECT_EQ(client.Exchange("hello"), "hello");
  server.Set({0, kShort, 0, kLong});
  EXPECT_EQ(LimitOf(server.Exit()), Limit::Idle);
  Client other(server);
  server.Set({});
  EXPECT_EQ(other.Exchange("hello"), "hello");
}

TEST(ConnectionTimeoutsTest, GraceOfAStopIsNamed) {
  Limited server({});
  Client client(server);
  EXPECT_EQ(client.Exchange("hello"), "hello");
  server.Stop(kShort, kLong);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(LimitOf(server.Exit()), Limit::Grace);
}

// Between deadlines it sleeps; a thousand bytes move no deadline that it would have to wake for.
TEST(ConnectionTimeoutsTest, WakesForDeadlinesAlone) {
  Limited server({kLong, kLong, kLong, kLong});
  Client client(server);
  EXPECT_EQ(client.Exchange("hello"), "hello");
  ASSERT_TRUE(server.Says(Record::Connection));  // which is sent in a batch, for which it wakes as well
  ASSERT_TRUE(Eventually([&] { return test::State(server.pid()) == 'S'; }));
  const long switches = test::VoluntarySwitches(server.pid());
  for (int i = 0; i < 1000; i++) ASSERT_EQ(client.Exchange("a"), "a");
  EXPECT_EQ(test::VoluntarySwitches(server.pid()), switches);
}

// A slot is the child's to write, and a hostile child writes what helps it most.
TEST(ConnectionTimeoutsTest, ActivityInTheFutureIsNotBelieved) {
  Slots slots(1);
  const ProcessTree tree;
  ConnectionTimeouts timeouts(slots, tree);
  ConnectionTimeouts::Times times;
  times.idle = std::chrono::seconds(1);
  timeouts.SetTimes(times);
  test::Subject child([] {
    for (;;) pause();
  });
  const uint32_t slot = slots.Take();
  timeouts.Watch(slot, child.pid(), -1, {});
  for (const Time lie : {Time::max(), Now() + std::chrono::hours(1)}) {
    slots[slot].lastActivity = lie;
    const Time deadline = timeouts.NextDeadline().when();
    timeouts.Enforce(deadline);
    EXPECT_EQ(timeouts.NextDeadline(), Deadline(deadline + *times.idle));
  }
  slots[slot].lastActivity = Time::min();
  timeouts.Enforce(timeouts.NextDeadline().when());
  EXPECT_FALSE(timeouts.NextDeadline().IsSet());
  EXPECT_EQ(Describe(child.Wait()), "Killed");
  EXPECT_EQ(timeouts.Unwatch(slot).limit, Limit::Idle);
}

}  // namespace truefork
