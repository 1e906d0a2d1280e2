#include "server/child_isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "protocol/slot.h"
#include "test/server.h"

namespace truefork {

namespace {

using test::Client;
using test::Describe;
using test::Eventually;
using test::Options;
using test::Server;

Options Isolated() {
  Options options;
  options.isolation.endsLeftovers = true;
  options.isolation.confinement.scope = ConfinementRules::Scope::Wanted;
  return options;
}

void Sleep() {
  for (;;) pause();
}

// What an attack found, to its client.
void Say(const Connection& connection, const std::string& text) {
  EXPECT_EQ(write(connection.fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string Result(long result) { return result >= 0 ? "done" : strerrorname_np(errno); }

// A server whose child does this for each client, and then echoes.
template <typename Attack>
Options Serving(Attack attack) {
  Options options = Isolated();
  options.serve = [attack](const Connection& connection) {
    attack(connection);
    test::Echo(connection);
  };
  return options;
}

bool HasScope() { return LandlockAbi() >= kLandlockScope; }

}  // namespace

TEST(ChildIsolationTest, KillOfTheGroupEndsTheAttackerAlone) {
  Options options = Isolated();
  options.serve = [](const Connection& connection) {
    char order;
    EXPECT_EQ(read(connection.fd, &order, 1), 1);
    if (order == 'k') kill(0, SIGKILL);
    Say(connection, "still here");
  };
  Server server(options);
  Client honest(server), attacker(server);
  EXPECT_TRUE(Eventually([&] { return server.Connections().size() == 2; }));
  attacker.Send("k");
  EXPECT_EQ(attacker.Receive(1), "");
  honest.Send("?");
  EXPECT_EQ(honest.Receive(10), "still here");
  Client next(server);
  next.Send("?");
  EXPECT_EQ(next.Receive(10), "still here");
  server.Stop(5000, 1000);
  EXPECT_EQ(server.Wait(), "exit 0");
}

TEST(ChildIsolationTest, ZygoteAndSiblingsAreOutOfReach) {
  if (!HasScope()) GTEST_SKIP() << "needs Linux 6.12";
  static pid_t sibling;
  Server server(Serving([](const Connection& connection) {
    std::string order(12, '\0');
    if (read(connection.fd, order.data(), order.size()) <= 1) return;
    const pid_t pid = atoi(order.c_str());
    char byte;
    const iovec here{&byte, 1}, there{&sibling, 1};
    const std::string memory = Result(open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR));
    Say(connection, Result(kill(getppid(), SIGKILL)) + " " + Result(kill(pid, SIGKILL)) + " " + memory + " " +
                        Result(process_vm_readv(pid, &here, 1, &there, 1, 0)) + ".");
  }));
  Client victim(server);
  EXPECT_TRUE(Eventually([&] { return server.Connections().size() == 1; }));
  victim.Send("-");
  Client attacker(server);
  attacker.Send(std::to_string(server.Connections()[0].pid));
  EXPECT_EQ(attacker.Receive(25), "EPERM EPERM EACCES EPERM.");
  EXPECT_EQ(victim.Exchange("hello"), "hello");
  server.Stop(0, 0);
  EXPECT_EQ(server.Wait(), "exit 0");
}

// A daemon keeps the write end of the pipe: its end is the end of all.
TEST(ChildIsolationTest, NothingOfAConnectionIsLeftWhenItHasEnded) {
  int lives[2];
  ASSERT_EQ(pipe(lives), 0);
  Options options = Isolated();
  options.before = [&] { close(lives[0]); };
  options.serve = [](const Connection&) {
    for (int i = 0; i < 3; i++) {
      if (fork() != 0) continue;
      setsid();
      if (fork() != 0) _exit(0);
      setpgid(0, 0);
      fork();
      Sleep();
    }
  };
  Server server(options);
  Client client(server);
  client.End();
  EXPECT_TRUE(server.Says(protocol::Record::Exit));
  Client honest(server);
  honest.End();
  EXPECT_TRUE(server.Says(protocol::Record::Exit, 2));
  server.Stop(5000, 1000);
  EXPECT_EQ(server.Wait(), "exit 0");
  close(lives[1]);
  char byte;
  EXPECT_EQ(read(lives[0], &byte, 1), 0) << "a daemon of the connection lives";
  close(lives[0]);
}

TEST(ChildIsolationTest, ALimitEndsTheTree) {
  int lives[2];
  ASSERT_EQ(pipe(lives), 0);
  Options options = Isolated();
  options.settings = 1;
  options.before = [&] { close(lives[0]); };
  options.beforeListening = [](Server& server) {
    protocol::TimesCommand times{};
    times.connectionMs = 100;
    times.killMs = 50;
    server.Command(protocol::Command::Times, times);
  };
  options.serve = [](const Connection&) {
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0) setsid();
    fork();
    Sleep();
  };
  Server server(options);
  close(lives[1]);
  Client client(server);
  char byte;
  EXPECT_EQ(client.End(), "");
  EXPECT_TRUE(server.Says(protocol::Record::Exit));
  server.Stop(0, 0);
  EXPECT_EQ(server.Wait(), "exit 0");
  EXPECT_EQ(read(lives[0], &byte, 1), 0);
  close(lives[0]);
}

TEST(ChildIsolationTest, TheOwnersEndIsTheEndOfAll) {
  int lives[2];
  ASSERT_EQ(pipe(lives), 0);
  Options options = Isolated();
  options.before = [&] { close(lives[0]); };
  options.serve = [](const Connection& connection) {
    if (fork() == 0) setsid();
    if (fork() == 0) raise(SIGSTOP);
    Say(connection, "x");
    Sleep();
  };
  Server server(options);
  close(lives[1]);
  Client client(server);
  EXPECT_EQ(client.Receive(1), "x");
  server.LeaveAlone();
  EXPECT_EQ(server.Wait(), "Killed");
  char byte;
  EXPECT_EQ(read(lives[0], &byte, 1), 0);
  close(lives[0]);
}

// What the zygote's module started is the zygote's, and no orphan of a connection.
TEST(ChildIsolationTest, TheZygotesOwnProcessesAreLeftAlone) {
  pid_t own = 0;
  int started[2];
  ASSERT_EQ(pipe(started), 0);
  Options options = Isolated();
  options.before = [&] {
    own = fork();
    if (own == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      Sleep();
    }
    EXPECT_EQ(write(started[1], &own, sizeof own), static_cast<ssize_t>(sizeof own));
  };
  Server server(options);
  EXPECT_EQ(read(started[0], &own, sizeof own), static_cast<ssize_t>(sizeof own));
  for (size_t i = 1; i <= 3; i++) {
    Client client(server);
    EXPECT_EQ(client.Exchange("x"), "x");
    client.End();
    EXPECT_TRUE(server.Says(protocol::Record::Exit, i));
  }
  EXPECT_EQ(kill(own, 0), 0);
  server.Stop(0, 0);
  EXPECT_EQ(server.Wait(), "exit 0");
  close(started[0]);
  close(started[1]);
}

TEST(ChildIsolationTest, EachChildIsAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const uint32_t first = 3'500'000 + static_cast<uint32_t>(getpid()) * 4;
  Options options = Isolated();
  options.isolation.confinement.sandbox = ConfinementRules::Sandbox{};
  options.isolation.confinement.sandbox->ownUser = true;
  options.isolation.users = UidRange(first, first + 1);
  options.serve = [](const Connection& connection) {
    Say(connection, std::to_string(getuid()));
    test::Echo(connection);
  };
  Server server(options);
  const size_t digits = std::to_string(first).size();
  Client one(server), two(server);
  const std::string ones = one.Receive(digits), twos = two.Receive(digits);
  EXPECT_NE(ones, twos);
  Client third(server);  // waits for a user
  EXPECT_TRUE(Eventually([&] { return !server.Troubles().empty(); }));
  one.End();
  EXPECT_EQ(third.Receive(digits), ones);
  two.End();
  third.End();
  server.Stop(5000, 1000);
  EXPECT_EQ(server.Wait(), "exit 0");
}

}  // namespace truefork
