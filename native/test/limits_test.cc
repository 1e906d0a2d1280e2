// Admission, refusals and resources in a real loop: what clients, the owner and the kernel see of them.
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "child/traffic.h"
#include "support/time.h"
#include "test/server.h"

namespace truefork {

namespace {

using protocol::Command;
using protocol::Limit;
using protocol::Policy;
using protocol::Reason;
using protocol::Record;
using test::Client;
using test::Describe;
using test::Eventually;
using test::Options;
using test::Server;

constexpr uint32_t kLong = 60'000;

std::string Bytes(const protocol::RefusalCommand& command, const std::string& text) {
  return std::string(reinterpret_cast<const char*>(&command), sizeof command) + text;
}

struct Limited : Server {
  explicit Limited(protocol::AdmissionCommand limits, Options options = {}) : Server(std::move(options)) {
    Set(limits);
  }
  void Set(protocol::AdmissionCommand limits) { Command(protocol::Command::Admission, limits); }
  void Treat(Reason reason, Policy policy, const std::string& text = "") {
    Command(protocol::Command::Refusal,
            Bytes({static_cast<uint32_t>(reason), static_cast<uint32_t>(policy)}, text));
  }
  std::vector<protocol::RefusedRecord> Refused() { return All<protocol::RefusedRecord>(Record::Refused); }
  uint32_t CountRefused(Reason reason) {
    uint32_t count = 0;
    for (const auto& record : Refused())
      count += record.reason == static_cast<uint32_t>(reason) ? record.count : 0;
    return count;
  }
};

bool IsServed(Client& client) { return client.Exchange("hello") == "hello"; }

}  // namespace

TEST(RefusalTest, ClientBeyondItsShareIsToldAndTheOthersAreServed) {
  Limited server({100, 2, 0, 1, 0, 1});
  server.Treat(Reason::MaxPerSource, Policy::Refuse, "too many of you\n");
  Client first(server), second(server);
  EXPECT_TRUE(IsServed(first) && IsServed(second));
  Client third(server);
  third.Send("a request, which nobody reads");
  EXPECT_EQ(third.End(), "too many of you\n");
  Client other(server, "127.0.0.2");
  EXPECT_TRUE(IsServed(other));
  ASSERT_TRUE(server.Says(Record::Refused));
  EXPECT_EQ(server.Refused()[0].reason, static_cast<uint32_t>(Reason::MaxPerSource));
  EXPECT_EQ(server.Refused()[0].count, 1u);
  EXPECT_EQ(server.Refused()[0].remotePort, third.port());
  EXPECT_STREQ(server.Refused()[0].remoteAddress, "127.0.0.1");

  EXPECT_EQ(first.End(), "");
  ASSERT_TRUE(server.Says(Record::Exit));
  Client again(server);
  EXPECT_TRUE(IsServed(again));
}

TEST(RefusalTest, Reset) {
  Limited server({1, 0, 0, 1, 0, 1});
  server.Treat(Reason::MaxChildren, Policy::Reset);
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  Client second(server);
  EXPECT_EQ(second.ErrorOfReceive(), ECONNRESET);
}

TEST(RefusalTest, WithoutAWordItIsACleanEnd) {
  Limited server({1, 0, 0, 1, 0, 1});
  server.Treat(Reason::MaxChildren, Policy::Refuse);
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  Client second(server);
  EXPECT_EQ(second.ErrorOfReceive(), 0);
}

TEST(RefusalTest, FloodIsToldOfOnceASecondAndInFull) {
  Limited server({100, 1, 0, 1, 0, 1});
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  const Time since = Now();
  for (int i = 0; i < 500; i++) EXPECT_EQ(Client(server).ErrorOfReceive(), 0);
  EXPECT_TRUE(Eventually([&] { return server.CountRefused(Reason::MaxPerSource) == 500; }));
  // The first at once, and then one a second, however long a loaded machine takes.
  EXPECT_LE(server.Refused().size(), 1u + (Now() - since) / Duration(1'000'000));
}

TEST(RefusalTest, StopTellsOfThoseNotToldYet) {
  Limited server({100, 1, 0, 1, 0, 1});
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  for (int i = 0; i < 20; i++) EXPECT_EQ(Client(server).ErrorOfReceive(), 0);
  server.Stop(0, kLong);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(server.CountRefused(Reason::MaxPerSource), 20u);
}

// Those that are left a moment to read what they were told are not in the children's hands too.
TEST(RefusalTest, ChildrenHoldNoDescriptorOfTheRefused) {
  Limited server({100, 1, 0, 1, 0, 1});
  server.Treat(Reason::MaxPerSource, Policy::Refuse, "no");
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  ASSERT_TRUE(
      server.Says(Record::Connection));  // and with it the server's own descriptor of the first is closed
  const size_t before = test::Descriptors(server.pid()).size();
  std::vector<Client> refused;
  for (int i = 0; i < 100; i++) EXPECT_EQ(refused.emplace_back(server).Receive(2), "no");
  Client other(server, "127.0.0.2");
  EXPECT_TRUE(IsServed(other));
  ASSERT_TRUE(server.Says(Record::Connection, 2));
  EXPECT_EQ(test::Descriptors(server.Connections()[1].pid).size(),
            test::Descriptors(server.Connections()[0].pid).size());
  EXPECT_TRUE(Eventually([&] { return test::Descriptors(server.pid()).size() == before; }));
}

TEST(AdmissionLoopTest, RateOfAllKeepsClientsInLineWithoutSpinning) {
  Limited server({100, 0, 200'000, 2, 0, 1});  // two at once, then five a second
  const Time since = Now();
  std::vector<Client> clients;
  for (int i = 0; i < 7; i++) clients.emplace_back(server).Send("hello");
  const long ticks = test::CpuTicks(server.pid());
  for (Client& client : clients) EXPECT_EQ(client.Receive(5), "hello");
  EXPECT_TRUE(Now() - since >= Duration(900'000));
  EXPECT_LT(test::CpuTicks(server.pid()) - ticks, 30);
  EXPECT_TRUE(server.Refused().empty());
}

TEST(AdmissionLoopTest, AddressRulesAreReloaded) {
  Limited server({100, 0, 0, 1, 0, 1});
  server.Command(Command::AddressRules, std::string("deny 127.0.0.2\nallow 127.0.0.0/8"));
  Client denied(server, "127.0.0.2"), other(server, "127.0.0.3");
  EXPECT_EQ(denied.ErrorOfReceive(), 0);
  EXPECT_TRUE(IsServed(other));
  server.Command(Command::AddressRules, std::string("deny 127.0.0.3"));
  Client now(server, "127.0.0.2");
  EXPECT_TRUE(IsServed(now));
  EXPECT_TRUE(IsServed(other));  // who is in, is in
  EXPECT_TRUE(Eventually([&] { return server.CountRefused(Reason::Address) == 1; }));
}

TEST(AdmissionLoopTest, MaxChildrenIsResizedBothWays) {
  Limited server({1, 0, 0, 1, 0, 1});
  Client first(server), second(server);
  EXPECT_TRUE(IsServed(first));
  second.Send("hello");
  server.Set({2, 0, 0, 1, 0, 1});
  EXPECT_EQ(second.Receive(5), "hello");
  server.Set({1, 0, 0, 1, 0, 1});
  EXPECT_TRUE(IsServed(first));  // nobody is ended for it
  EXPECT_TRUE(IsServed(second));
  Client third(server);
  third.Send("hello");
  EXPECT_EQ(first.End(), "");
  ASSERT_TRUE(server.Says(Record::Exit));
  EXPECT_TRUE(IsServed(second));
  EXPECT_EQ(server.Connections().size(), 2u);
  EXPECT_EQ(second.End(), "");
  EXPECT_EQ(third.Receive(5), "hello");
}

// Full, and knocked at by a thousand: it sleeps.
TEST(AdmissionLoopTest, FullServerDoesNotSpin) {
  Limited server({1, 0, 0, 1, 0, 1});
  Client first(server);
  EXPECT_TRUE(IsServed(first));
  ASSERT_TRUE(server.Says(Record::Connection));
  ASSERT_TRUE(Eventually([&] { return test::State(server.pid()) == 'S'; }));
  const long before = test::VoluntarySwitches(server.pid());
  std::vector<Client> waiting;
  for (int i = 0; i < 300; i++) waiting.emplace_back(server);
  EXPECT_TRUE(IsServed(first));
  EXPECT_LE(test::VoluntarySwitches(server.pid()) - before, 1);
  waiting.clear();
}

TEST(SettingsTest, AreObeyedBeforeTheFirstClient) {
  Options options;
  options.settings = 2;
  options.beforeListening = [](Server& server) {
    server.Command(Command::AddressRules, std::string("allow 10.0.0.1"));
    server.Command(Command::Admission, protocol::AdmissionCommand{7, 0, 0, 1, 0, 1});
  };
  Server server(options);
  EXPECT_EQ(Client(server).ErrorOfReceive(), 0);
  EXPECT_TRUE(server.Says(Record::Refused));
  EXPECT_TRUE(server.Connections().empty());
}

namespace {

protocol::ResourcesCommand Only(protocol::Resource resource) {
  protocol::ResourcesCommand command{};
  command.set = resource;
  return command;
}

// The exit record of a child that does this under these limits.
protocol::ExitRecord RunUnder(protocol::ResourcesCommand limits, std::function<void()> work) {
  Options options;
  options.serve = [=](const Connection& connection) {
    char byte;
    if (recv(connection.fd, &byte, 1, 0) == 1) work();
  };
  Server server(options);
  server.Command(Command::Resources, limits);
  Client client(server);
  client.Send("x");
  EXPECT_TRUE(server.Says(Record::Exit));
  const auto exits = server.Exits();
  return exits.empty() ? protocol::ExitRecord{} : exits[0];
}

}  // namespace

TEST(ResourcesTest, CpuSeconds) {
  auto limits = Only(protocol::kCpu);
  limits.cpuSeconds = 1;
  const auto exit = RunUnder(limits, [] {
    for (volatile bool ever = true; ever;) continue;
  });
  EXPECT_EQ(Describe(exit.status & 0x7f), "CPU time limit exceeded");
  EXPECT_EQ(exit.limit, static_cast<uint32_t>(Limit::Cpu));
}

TEST(ResourcesTest, CpuSecondsOfOneThatIgnoresTheSignal) {
  auto limits = Only(protocol::kCpu);
  limits.cpuSeconds = 1;
  const auto exit = RunUnder(limits, [] {
    signal(SIGXCPU, SIG_IGN);
    for (volatile bool ever = true; ever;) continue;
  });
  EXPECT_EQ(Describe(exit.status), "Killed");
  EXPECT_EQ(exit.limit, static_cast<uint32_t>(Limit::Cpu));
}

TEST(ResourcesTest, OpenFilesCoreNiceAndOomScore) {
  protocol::ResourcesCommand limits{};
  limits.openFiles = 20;
  limits.core = 0;
  limits.nice = 19;
  limits.oomScoreAdj = 500;
  limits.set = protocol::kOpenFiles | protocol::kCore | protocol::kNice | protocol::kOomScoreAdj;
  const auto exit = RunUnder(limits, [] {
    rlimit files, core;
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_CORE, &core);
    EXPECT_EQ(files.rlim_cur, 20u);
    EXPECT_EQ(files.rlim_max, 20u);
    EXPECT_EQ(core.rlim_max, 0u);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 19);
    int score = 0;
    std::ifstream("/proc/self/oom_score_adj") >> score;
    EXPECT_EQ(score, 500);
  });
  EXPECT_EQ(Describe(exit.status), "exit 0");
}

TEST(ResourcesTest, MemoryIsCountedFromWhatTheServerHas) {
  auto limits = Only(protocol::kMemory);
  limits.memory = 64 << 20;
  const auto exit = RunUnder(limits, [] {
    const auto take = [](size_t size) {
      return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    };
    EXPECT_NE(take(48 << 20), MAP_FAILED);
    EXPECT_EQ(take(48 << 20), MAP_FAILED);
    traffic::RanOutOfMemory();
    _exit(134);
  });
  EXPECT_EQ(Describe(exit.status), "exit 134");
  EXPECT_EQ(exit.limit, static_cast<uint32_t>(Limit::Memory));
}

TEST(ResourcesTest, WhoEndsWellWasNotEndedForMemory) {
  auto limits = Only(protocol::kMemory);
  limits.memory = 64 << 20;
  const auto exit = RunUnder(limits, [] { traffic::RanOutOfMemory(); });
  EXPECT_EQ(exit.limit, static_cast<uint32_t>(Limit::None));
}

TEST(ResourcesTest, NothingIsLimitedUnasked) {
  rlimit here;
  getrlimit(RLIMIT_DATA, &here);
  const auto exit = RunUnder({}, [here] {
    rlimit there;
    getrlimit(RLIMIT_DATA, &there);
    EXPECT_EQ(there.rlim_cur, here.rlim_cur);
  });
  EXPECT_EQ(Describe(exit.status), "exit 0");
}

// A limit that cannot be set is no reason to serve without it.
TEST(ResourcesTest, WhatCannotBeLimitedIsNotServed) {
  auto limits = Only(protocol::kOomScoreAdj);
  limits.oomScoreAdj = 100'000;
  const auto exit = RunUnder(limits, [] { FAIL() << "it was served"; });
  EXPECT_EQ(Describe(exit.status), "exit 71");
}

TEST(ResourcesTest, CauseOfEndIsTheLimitThatTheStatusSpeaksOf) {
  auto command = Only(protocol::kCpu);
  command.cpuSeconds = 4;
  ResourceLimits limits;
  limits.Set(command);
  rusage little{}, much{};
  little.ru_utime.tv_sec = 1;
  much.ru_utime.tv_sec = 2;
  much.ru_stime.tv_sec = 1;
  EXPECT_EQ(limits.CauseOfEnd(SIGXCPU, little, false), Limit::Cpu);
  EXPECT_EQ(limits.CauseOfEnd(SIGKILL, much, false), Limit::Cpu);
  EXPECT_EQ(limits.CauseOfEnd(SIGKILL, little, false), Limit::None);
  EXPECT_EQ(limits.CauseOfEnd(0, much, false), Limit::None);
  EXPECT_EQ(limits.CauseOfEnd(SIGABRT, little, true), Limit::None) << "there is no limit of memory";
  EXPECT_EQ(ResourceLimits().CauseOfEnd(SIGXCPU, much, true), Limit::None);
}

}  // namespace truefork
