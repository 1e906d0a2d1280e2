// The serve loop as its owner and its clients see it: a real listener, real children, the records, the
// descriptors.
#include "server/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>

#include "child/drain_flag.h"
#include "support/faults.h"
#include "test/server.h"

namespace truefork {

namespace {

using faults::Call;
using protocol::Record;
using test::Client;
using test::Describe;
using test::Eventually;
using test::Options;
using test::Server;
using namespace std::chrono_literals;

constexpr uint32_t kLong = 60'000;  // a grace that no test waits for

// A client, and the child that serves it.
struct Served {
  explicit Served(Server& server) : client(server) {
    EXPECT_EQ(client.Exchange("hello"), "hello");
    EXPECT_TRUE(Eventually([&] {  // the child may be faster than the record of it
      for (const auto& connection : server.Connections()) {
        if (connection.remotePort == client.port()) pid = connection.pid;
      }
      return pid > 0;
    }));
  }
  Client client;
  pid_t pid = 0;
};

// How the children ended that are recorded.
std::vector<std::string> Endings(Server& server) {
  std::vector<std::string> endings;
  for (const auto& exit : server.Exits()) endings.push_back(Describe(exit.status));
  return endings;
}

using Words = std::vector<std::string>;

bool IsGone(pid_t pid) {
  return Eventually([pid] { return test::State(pid) == '\0' || test::State(pid) == 'Z'; });
}

Options WithFault(Call call, int errnum, uint32_t times, uint32_t forMs = 0) {
  Options options;
  options.before = [=] { faults::Arm(call, errnum, times, forMs); };
  return options;
}

}  // namespace

TEST(ServeLoopTest, ForksAChildForEachConnection) {
  Options options;
  options.firstId = 41;
  Server server(options);
  Served first(server), second(server);
  EXPECT_NE(first.pid, second.pid);
  EXPECT_NE(first.pid, server.pid());
  EXPECT_EQ(server.Records().front().kind, static_cast<uint32_t>(Record::Listening));
  const auto connections = server.Connections();
  ASSERT_EQ(connections.size(), 2u);
  EXPECT_EQ(connections[0].id, 41u);
  EXPECT_EQ(connections[1].id, 42u);
  EXPECT_STREQ(connections[0].remoteAddress, "127.0.0.1");

  EXPECT_EQ(second.client.End(), "");  // though the first sits silent
  ASSERT_TRUE(server.Says(Record::Exit));
  const protocol::ExitRecord exit = server.Exits()[0];
  EXPECT_EQ(exit.id, 42u);
  EXPECT_EQ(exit.pid, second.pid);
  EXPECT_EQ(Describe(exit.status), "exit 0");
  EXPECT_GT(exit.durationUs, 0u);
  EXPECT_GT(exit.maxRssKib, 0u);
}

TEST(ServeLoopTest, ChildHasNothingOfTheServers) {
  Server server;
  const Served served(server);
  const auto servers = test::Descriptors(server.pid());
  const auto childs = test::Descriptors(served.pid);
  for (const auto& [fd, what] : childs) {
    EXPECT_NE(what, servers.at(server.listener())) << fd;
    EXPECT_NE(what, servers.at(server.channel())) << fd;
  }
  // Without those two, the signal's pipe and the folder of /proc, and with the connection, which the server
  // has closed.
  EXPECT_EQ(childs.size(), servers.size() - 5 + 1);
}

TEST(ServeLoopTest, HandlersAreSuspendedInTheServerAndGivenBackInTheChild) {
  Options options;
  options.before = [] { signal(SIGUSR2, [](int) {}); };
  options.serve = [](const Connection& connection) {
    struct sigaction usr2 {
    }, chld{};
    sigaction(SIGUSR2, nullptr, &usr2);
    sigaction(SIGCHLD, nullptr, &chld);
    EXPECT_NE(usr2.sa_handler, SIG_DFL);
    EXPECT_EQ(chld.sa_handler, SIG_DFL);
    test::Echo(connection);
  };
  Server server(options);
  Served served(server);
  EXPECT_EQ(served.client.End(), "");
  ASSERT_TRUE(server.Says(Record::Exit));
  EXPECT_EQ(Endings(server), Words{"exit 0"});
  kill(server.pid(), SIGUSR2);
  EXPECT_EQ(server.Wait(), "User defined signal 2");
}

TEST(ServeLoopTest, SignalsOfTheOwnersAreNothingToItAndEverythingToAChild) {
  Server server;
  Served served(server);
  for (const int signo : {SIGHUP, SIGUSR1}) kill(server.pid(), signo);
  EXPECT_EQ(served.client.Exchange("still here"), "still here");
  EXPECT_EQ(Served(server).client.Exchange("and"), "and");
  kill(served.pid, SIGHUP);
  ASSERT_TRUE(Eventually([&] {
    const auto endings = Endings(server);
    return std::count(endings.begin(), endings.end(), "Hangup") == 1;
  }));
  server.Kill();
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST(ServeLoopTest, CrashOfOneChildIsNobodyElses) {
  Server server;
  Served crashes(server), other(server);
  kill(crashes.pid, SIGSEGV);
  ASSERT_TRUE(server.Says(Record::Exit));
  EXPECT_TRUE(Endings(server) == Words{"Segmentation fault"} || Endings(server) == Words{"exit 1"})
      << Endings(server)[0];  // AddressSanitizer makes it the latter
  EXPECT_EQ(other.client.Exchange("still here"), "still here");
  EXPECT_EQ(Served(server).client.End(), "");
}

TEST(ServeLoopTest, ClientsBeyondTheCapWaitInTheBacklog) {
  Options options;
  options.maxChildren = 3;
  Server server(options);
  std::vector<Client> clients;
  for (int i = 0; i < 20; i++) clients.emplace_back(server).Send("hello");
  ASSERT_TRUE(server.Says(Record::Connection, 3));
  // Full, it sleeps: the listener, though it is readable, is not in its poll.
  EXPECT_TRUE(Eventually([&] { return test::State(server.pid()) == 'S'; }));
  for (Client& client : clients) EXPECT_EQ(client.End(), "hello");
  ASSERT_TRUE(server.Says(Record::Exit, 20));
  int live = 0, most = 0;
  for (const auto& record : server.Records()) {
    if (record.kind == static_cast<uint32_t>(Record::Connection)) most = std::max(most, ++live);
    if (record.kind == static_cast<uint32_t>(Record::Exit)) live--;
  }
  EXPECT_EQ(most, 3);
}

TEST(ServeLoopTest, FiveHundredConnectionsLeaveNothingBehind) {
  Server server;
  EXPECT_EQ(Served(server).client.End(), "");
  const auto before = test::Descriptors(server.pid());
  for (int round = 0; round < 20; round++) {
    std::vector<Client> clients;
    for (int i = 0; i < 25; i++) clients.emplace_back(server);
    for (Client& client : clients) EXPECT_EQ(client.Exchange("hello"), "hello");
    clients.clear();  // all at the same instant
  }
  ASSERT_TRUE(server.Says(Record::Exit, 501));
  EXPECT_EQ(test::CountChildren(server.pid()), 0u);
  EXPECT_EQ(test::Descriptors(server.pid()), before);
  const auto connections = server.Connections();
  EXPECT_EQ(connections.size(), 501u);
  EXPECT_EQ(connections.back().id, 501u);
  EXPECT_EQ(Endings(server), Words(501, "exit 0"));
}

TEST(ServeLoopTest, ResetByTheClient) {
  Server server;
  Served served(server);
  served.client.Reset();
  ASSERT_TRUE(server.Says(Record::Exit));
  EXPECT_EQ(Endings(server), Words{"exit 0"});
}

TEST(StopTest, WithNobodyToWaitFor) {
  Server server;
  server.Stop(kLong, kLong);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_TRUE(test::IsRefused(server.port()));
}

TEST(StopTest, ChildrenMayFinishInTheirGrace) {
  Server server;
  Served served(server);
  server.Stop(kLong, kLong);
  EXPECT_TRUE(Eventually([&] { return test::Descriptors(server.pid()).count(server.listener()) == 0; }));
  EXPECT_TRUE(test::IsRefused(server.port()));
  EXPECT_EQ(served.client.Exchange("go on"), "go on");
  EXPECT_EQ(served.client.End(), "");
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words{"exit 0"});
}

TEST(StopTest, ClientsInTheBacklogAreStillServed) {
  Options options;
  options.maxChildren = 1;
  Server server(options);
  Served first(server);
  Client queued(server), alsoQueued(server);
  server.Stop(kLong, kLong);
  EXPECT_EQ(first.client.End(), "");
  EXPECT_EQ(queued.Exchange("hello"), "hello");
  EXPECT_EQ(queued.End(), "");
  EXPECT_EQ(alsoQueued.Exchange("hello"), "hello");
  EXPECT_EQ(alsoQueued.End(), "");
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(server.Connections().size(), 3u);
}

TEST(StopTest, AfterTheGraceComesSigterm) {
  Server server;
  const Served served(server);
  server.Stop(100, kLong);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words{"Terminated"});
  EXPECT_GE(server.Exits()[0].durationUs, 100'000u);
}

TEST(StopTest, AfterSigtermComesSigkill) {
  Options options;
  options.serve = [](const Connection& connection) {
    signal(SIGTERM, SIG_IGN);
    test::Echo(connection);
  };
  Server server(options);
  const Served served(server);
  server.Stop(0, 50);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words{"Killed"});
}

TEST(StopTest, SecondStopMayShortenTheGrace) {
  Server server;
  const Served served(server);
  server.Stop(kLong, kLong);
  server.Stop(0, kLong);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words{"Terminated"});
}

TEST(KillTest, EndsEveryChildAtOnce) {
  Server server;
  const Served first(server), second(server);
  server.Kill();
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), (Words{"Killed", "Killed"}));
}

TEST(OwnerTest, ServerAndChildrenGoWithIt) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  Server server;
  const Served served(server);
  server.LeaveAlone();
  EXPECT_EQ(server.Wait(), "Killed");
  EXPECT_TRUE(IsGone(served.pid));
  EXPECT_TRUE(test::IsRefused(server.port()));
}

TEST(OwnerTest, ChildrenGoWithAServerThatIsKilled) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  Server server;
  const Served served(server);
  kill(server.pid(), SIGKILL);
  EXPECT_EQ(server.Wait(), "Killed");
  EXPECT_TRUE(IsGone(served.pid));
}

// Neither spun on nor given up: it pauses for 10, 20, 40 and 80 milliseconds.
TEST(TroubleTest, AcceptOutOfDescriptorsIsToldOnceAndOutlived) {
  Server server(WithFault(Call::Accept, EMFILE, 4));
  const auto asked = std::chrono::steady_clock::now();
  Client client(server);
  EXPECT_EQ(client.Exchange("hello"), "hello");
  EXPECT_GE(std::chrono::steady_clock::now() - asked, 150ms);
  ASSERT_EQ(server.Troubles().size(), 1u);
  EXPECT_EQ(server.Troubles()[0].errnum, EMFILE);
  EXPECT_STREQ(server.Troubles()[0].syscall, "accept");
}

TEST(TroubleTest, RealLimitOfDescriptors) {
  Server server;
  rlimit before;
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};  // all that is left of 0 to 2 is taken
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  Client client(server);
  ASSERT_TRUE(server.Says(Record::Trouble));
  EXPECT_EQ(server.Troubles()[0].errnum, EMFILE);
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_EQ(client.Exchange("hello"), "hello");
}

TEST(TroubleTest, ConnectionAbortedBeforeAcceptIsNoTrouble) {
  Server server(WithFault(Call::Accept, ECONNABORTED, 3));
  EXPECT_EQ(Served(server).client.End(), "");
  EXPECT_TRUE(server.Troubles().empty());
}

TEST(TroubleTest, AcceptInterrupted) {
  Server server(WithFault(Call::Accept, EINTR, 3));
  EXPECT_EQ(Served(server).client.End(), "");
  EXPECT_TRUE(server.Troubles().empty());
}

TEST(TroubleTest, ForkThatFailsLosesNoConnection) {
  Server server(WithFault(Call::Fork, EAGAIN, 4));
  std::vector<Client> clients;
  for (int i = 0; i < 5; i++) clients.emplace_back(server).Send("hello");
  for (Client& client : clients) EXPECT_EQ(client.End(), "hello");
  EXPECT_TRUE(server.Says(Record::Connection, 5));
  ASSERT_EQ(server.Troubles().size(), 1u);
  EXPECT_EQ(server.Troubles()[0].errnum, EAGAIN);
  EXPECT_STREQ(server.Troubles()[0].syscall, "fork");
}

TEST(TroubleTest, NewTroubleIsToldAgain) {
  Server server(WithFault(Call::Fork, EAGAIN, 1));
  EXPECT_EQ(Served(server).client.End(), "");
  rlimit before;
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  Client client(server);
  EXPECT_TRUE(server.Says(Record::Trouble, 2));
}

// Stopped in the middle of a pause, with nobody to let in any more, it has no reason to wake.
TEST(TroubleTest, StopAfterItDoesNotSpin) {
  Options options;
  options.serve = [](const Connection& connection) {
    signal(SIGTERM, SIG_IGN);
    test::Echo(connection);
  };
  Server server(options);
  const Served served(server);
  rlimit before;
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  Client waiting(server);
  ASSERT_TRUE(server.Says(Record::Trouble));
  server.Stop(0, 1000);
  ASSERT_TRUE(test::Eventually([&] { return test::IsRefused(server.port()); }));
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  const long ticks = test::CpuTicks(server.pid());
  EXPECT_TRUE(server.Says(Record::Exit));  // it took SIGKILL
  EXPECT_LT(test::CpuTicks(server.pid()) - ticks, 20);
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST(TroubleTest, StopWhileNoProcessCanBeForked) {
  Server server(WithFault(Call::Fork, ENOMEM, 0, kLong));
  Client client(server);
  ASSERT_TRUE(server.Says(Record::Trouble));
  server.Stop(50, 50);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_TRUE(server.Connections().empty());
  EXPECT_EQ(client.Receive(1), "");
}

TEST(HandoverTest, OnStandbyNobodyIsLetInBeforeBegin) {
  Options options;
  options.standby = true;
  Server server(options);
  Client client(server);
  client.Send("hello");
  server.CountRetiredChildren(0);  // heard, and still nobody
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(server.Connections().size(), 0u);
  server.Begin(41);
  EXPECT_EQ(client.Receive(5), "hello");
  ASSERT_TRUE(server.Says(Record::Connection));
  EXPECT_EQ(server.Connections()[0].id, 41u);
  client.Close();
  server.Stop(kLong, 0);
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST(HandoverTest, RetiredItLetsNobodyInAndEndsWithItsLastChild) {
  Server server;
  Served served(server);
  server.Retire();
  ASSERT_TRUE(server.Says(Record::Retired));
  protocol::RetiredRecord retired{};
  std::memcpy(&retired, server.Records().back().body.data(), sizeof retired);
  EXPECT_EQ(retired.nextId, 2u);
  EXPECT_TRUE(test::IsRefused(server.port()));  // nobody else has the listener here
  EXPECT_EQ(served.client.Exchange("still"), "still");
  served.client.Close();
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words({"exit 0"}));
}

TEST(HandoverTest, WhatEarlierZygotesServeCountsButOneMayAlwaysComeIn) {
  Options options;
  options.maxChildren = 3;
  Server server(options);
  server.CountRetiredChildren(5);
  Served first(server);
  Client second(server);
  second.Send("second");
  EXPECT_EQ(first.client.Exchange("alone"), "alone");
  EXPECT_EQ(server.Connections().size(), 1u);
  server.CountRetiredChildren(1);
  EXPECT_EQ(second.Receive(6), "second");
  first.client.Close();
  second.Close();
  server.Stop(kLong, 0);
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST(HandoverTest, ChildrenAreToldToFinishBySignalAndByFlag) {
  Options options;
  options.serve = [](const Connection& connection) {
    sigset_t finish;
    sigemptyset(&finish);
    sigaddset(&finish, kFinishSignal);
    sigprocmask(SIG_BLOCK, &finish, nullptr);
    EXPECT_FALSE(DrainFlag::IsSet());
    test::Echo({connection.fd, 0, {}, {}});
    const timespec deadline{20, 0};
    EXPECT_EQ(sigtimedwait(&finish, nullptr, &deadline), kFinishSignal);
    EXPECT_TRUE(DrainFlag::IsSet());
  };
  Server server(options);
  Served served(server);
  server.Retire();
  ASSERT_TRUE(server.Says(Record::Retired));
  EXPECT_EQ(served.client.End(), "");
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(Endings(server), Words({"exit 0"}));
}

}  // namespace truefork
