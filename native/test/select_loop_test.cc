// The server of one process without Node: a real event loop, real clients, and a handler that echoes.
#include "select/select_loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "child/drain_flag.h"
#include "support/faults.h"
#include "test/loopback.h"
#include "test/owner.h"
#include "test/server.h"

namespace truefork {

namespace {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::Record;
using test::Client;
using test::Describe;
using test::Eventually;

struct Options {
  bool usesPoll = false;
  std::function<void()> before = [] {};
  // What the handler does with what a client sent; by default it sends it back.
  std::function<void(SelectLoop&, uint64_t, const char*, size_t)> onData =
      [](SelectLoop& server, uint64_t id, const char* bytes, size_t size) { server.Write(id, bytes, size); };
};

class SelectServer {
 public:
  explicit SelectServer(const Options& options = {})
      : listener_(test::Bind()), port_(test::PortOf(listener_)) {
    process_.emplace([&] {
      owner_.Leave();
      Run(options);
    });
    close(listener_);
    owner_.CloseChannel();
    EXPECT_TRUE(Says(Record::Listening));
    owner_.Command(Command::Begin, protocol::BeginCommand{1});
  }

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  test::Owner& owner() { return owner_; }
  bool Says(Record kind, size_t times = 1) {
    return Eventually([&] { return owner_.Count(kind) >= times; });
  }
  std::string Wait() { return Describe(process_->Wait()); }

 private:
  void Run(const Options& options) {
    options.before();
    static uv_loop_t loop;
    uv_loop_init(&loop);
    static SelectLoop* server = nullptr;
    SelectLoop::Callbacks callbacks;
    callbacks.open = [](const Connection&) {};
    callbacks.data = [&](uint64_t id, const char* bytes, size_t size) {
      options.onData(*server, id, bytes, size);
    };
    callbacks.end = [&](uint64_t id) { server->End(id); };
    callbacks.fail = [](uint64_t, int) {};
    callbacks.over = [] {};
    server = new SelectLoop(&loop, {owner_.channel(), {{listener_, 16}}, options.usesPoll}, callbacks);
    const char* failed = nullptr;
    EXPECT_TRUE(server->Open(&failed)) << failed;
    signal(kFinishSignal, SIG_IGN);
    server->Start();
    uv_run(&loop, UV_RUN_DEFAULT);
  }

  test::Owner owner_;
  int listener_;
  uint16_t port_;
  std::optional<test::Subject> process_;
};

class SelectLoopTest : public testing::TestWithParam<bool> {
 protected:
  Options With() {
    Options options;
    options.usesPoll = GetParam();
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(By, SelectLoopTest, testing::Bool(),
                         [](const auto& usesPoll) { return usesPoll.param ? "Poll" : "Select"; });

}  // namespace

TEST_P(SelectLoopTest, ServesManyAtOnceInOneProcess) {
  SelectServer server(With());
  std::vector<Client> clients;
  for (int i = 0; i < 20; i++) clients.emplace_back(server.port());
  for (Client& client : clients) EXPECT_EQ(client.Exchange("hello"), "hello");
  for (Client& client : clients) EXPECT_EQ(client.End(), "");
  EXPECT_TRUE(server.Says(Record::End, 20));
  for (const auto& record : server.owner().All<protocol::ConnectionRecord>(Record::Connection))
    EXPECT_EQ(record.pid, server.pid());
}

TEST_P(SelectLoopTest, StopDrainsAndEnds) {
  SelectServer server(With());
  Client client(server.port());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  server.owner().Command(Command::Stop, protocol::StopCommand{60'000});
  EXPECT_TRUE(Eventually([&] { return test::IsRefused(server.port()); }));
  EXPECT_EQ(client.Exchange("still"), "still");
  EXPECT_EQ(client.End(), "");
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST_P(SelectLoopTest, StopEndsConnectionsWhenTheGraceIsOver) {
  SelectServer server(With());
  Client client(server.port());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  server.owner().Command(Command::Stop, protocol::StopCommand{50});
  EXPECT_EQ(client.Receive(1), "");
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(server.owner().Count(Record::End), 1u);
}

TEST_P(SelectLoopTest, ClientsBeyondTheMaximumWait) {
  SelectServer server(With());
  server.owner().Command(Command::MaxConnections, protocol::MaxConnectionsCommand{1});
  server.owner().Command(Command::Ping);
  ASSERT_TRUE(server.Says(Record::Pong));
  Client first(server.port()), second(server.port());
  EXPECT_EQ(first.Exchange("hello"), "hello");
  second.Send("hello");
  EXPECT_EQ(first.Exchange("again"), "again");
  EXPECT_EQ(server.owner().Count(Record::Connection), 1u);
  EXPECT_EQ(first.End(), "");
  EXPECT_EQ(second.Receive(5), "hello");
}

// The answer is far larger than the buffers of the sockets, and the client begins to read when all was
// written.
TEST_P(SelectLoopTest, WhatTheClientDoesNotTakeIsKept) {
  constexpr size_t kSize = 16 << 20;
  Options options = With();
  options.onData = [](SelectLoop& server, uint64_t id, const char*, size_t) {
    const std::string answer(kSize, 'x');
    EXPECT_FALSE(server.Write(id, answer.data(), answer.size())) << "something is kept";
    server.End(id);
  };
  SelectServer server(options);
  Client client(server.port());
  client.Send("go");
  EXPECT_EQ(client.End(), std::string(kSize, 'x'));
  EXPECT_TRUE(server.Says(Record::End));
}

// The server has said everything and the client goes on sending: closed at once, the answer would be lost to
// a reset.
TEST_P(SelectLoopTest, LingersForAClientThatStillSends) {
  Options options = With();
  options.onData = [](SelectLoop& server, uint64_t id, const char*, size_t) {
    server.Write(id, "bye", 3);
    server.End(id);
  };
  SelectServer server(options);
  Client client(server.port());
  client.Send("a");
  EXPECT_EQ(client.Receive(3), "bye");
  client.Send(std::string(100'000, 'b'));
  EXPECT_EQ(client.ErrorOfReceive(), 0);
}

TEST_P(SelectLoopTest, FailureOfOneConnectionEndsIt) {
  Options options = With();
  options.before = [] { faults::Arm(faults::Call::Read, EIO, 1, 0); };
  SelectServer server(options);
  Client fails(server.port());
  fails.Send("x");
  EXPECT_TRUE(server.Says(Record::End));
  Client other(server.port());
  EXPECT_EQ(other.Exchange("hello"), "hello");
}

TEST_P(SelectLoopTest, AcceptOutOfDescriptorsIsReportedOnceAndOutlived) {
  Options options = With();
  options.before = [] { faults::Arm(faults::Call::Accept, EMFILE, 3, 0); };
  SelectServer server(options);
  Client client(server.port());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  EXPECT_EQ(server.owner().Count(Record::Trouble), 1u);
}

TEST_P(SelectLoopTest, OwnerThatIsGoneEndsIt) {
  SelectServer server(With());
  Client client(server.port());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  server.owner().Leave();
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(client.Receive(1), "");
}

TEST_P(SelectLoopTest, IdleServerSleeps) {
  SelectServer server(With());
  Client client(server.port());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  ASSERT_TRUE(Eventually([&] { return test::State(server.pid()) == 'S'; }));
  const long ticks = test::CpuTicks(server.pid());
  EXPECT_EQ(client.Exchange("hello"), "hello");
  EXPECT_LE(test::CpuTicks(server.pid()) - ticks, 20);
}

}  // namespace truefork
