#include "server/children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <vector>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Eventually;

// Children that all wait for the same moment.
class Gate {
 public:
  pid_t Spawn(const std::function<void()>& then = [] {}) {
    return test::Spawn([&] {
      pair_.Close(0);
      char word;
      EXPECT_EQ(read(pair_.fds[1], &word, 1), 0);
      then();
    });
  }
  void Open() { pair_.Close(0); }

 private:
  test::SocketPair pair_;
};

// How each child ended that Reap() told of.
std::map<uint64_t, std::string> Reap(Children& children) {
  std::map<uint64_t, std::string> ended;
  children.Reap(
      [&](pid_t, const Child& child, int status, const rusage&) { ended[child.id] = Describe(status); });
  return ended;
}

bool BecomesZombie(pid_t pid) {
  return Eventually([pid] { return test::State(pid) == 'Z'; });
}

bool IsReadable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, 0) == 1;
}

}  // namespace

TEST(ChildrenTest, FiveThatEndAtOnceAreAllReaped) {
  ChildSignal signal;
  ASSERT_TRUE(signal.ok());
  Children children;
  Gate gate;
  arena::Vector<pid_t> pids;
  for (uint64_t id = 1; id <= 5; id++) {
    pids.push_back(gate.Spawn());
    children.Add(pids.back(), {id, 0});
  }
  EXPECT_TRUE(Reap(children).empty());
  EXPECT_EQ(children.size(), 5u);

  gate.Open();
  for (const pid_t pid : pids) EXPECT_TRUE(BecomesZombie(pid));
  EXPECT_TRUE(IsReadable(signal.fd()));
  signal.Drain();
  EXPECT_FALSE(IsReadable(signal.fd()));
  EXPECT_EQ(Reap(children).size(), 5u);
  EXPECT_TRUE(children.empty());
  for (const pid_t pid : pids) EXPECT_EQ(test::State(pid), '\0');
}

TEST(ChildrenTest, SignalSaysWhomToWaitForAndNobodyElseIs) {
  ChildSignal signal;
  Children children;
  Gate gate;
  const pid_t other = gate.Spawn();
  const pid_t one = fork();
  if (one == 0) _exit(0);
  children.Add(one, {1, 0});
  children.Add(other, {2, 0});
  EXPECT_TRUE(BecomesZombie(one));
  const arena::Vector<pid_t> told = signal.Drain();
  EXPECT_EQ(told, arena::Vector<pid_t>{one});
  gate.Open();
  EXPECT_TRUE(BecomesZombie(other));
  children.Reap(told, [one](pid_t pid, const Child&, int, const rusage&) { EXPECT_EQ(pid, one); });
  EXPECT_EQ(children.size(), 1u);
  EXPECT_EQ(Reap(children).size(), 1u);  // and a sweep finds the other
}

TEST(ChildrenTest, StatusIsTold) {
  Children children;
  Gate gate;
  const pid_t exits = gate.Spawn([] { _exit(7); });
  const pid_t killed = gate.Spawn([] { raise(SIGKILL); });
  children.Add(exits, {1, 0});
  children.Add(killed, {2, 0});
  gate.Open();
  EXPECT_TRUE(BecomesZombie(exits) && BecomesZombie(killed));
  EXPECT_EQ(Reap(children), (std::map<uint64_t, std::string>{{1, "exit 7"}, {2, "Killed"}}));
}

TEST(ChildrenTest, UnknownChildIsReapedAndNotToldOf) {
  Children children;
  const pid_t stranger = test::Spawn([] {});
  EXPECT_TRUE(BecomesZombie(stranger));
  EXPECT_TRUE(Reap(children).empty());
  EXPECT_EQ(test::State(stranger), '\0');
}

TEST(ChildrenTest, SignalReachesAll) {
  Children children;
  Gate gate;
  arena::Vector<pid_t> pids = {gate.Spawn(), gate.Spawn()};
  for (const pid_t pid : pids) children.Add(pid, {static_cast<uint64_t>(pid), 0});
  children.Signal(SIGKILL);
  for (const pid_t pid : pids) EXPECT_TRUE(BecomesZombie(pid));
  for (const auto& [id, how] : Reap(children)) EXPECT_EQ(how, "Killed") << id;
}

// Every call that can be interrupted, is: no child may be missed for it.
TEST(ChildrenTest, ReapedUnderAStormOfSignals) {
  struct sigaction storm {};
  storm.sa_handler = [](int) {};
  sigaction(SIGALRM, &storm, nullptr);  // without SA_RESTART
  const itimerval often{{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);

  ChildSignal signal;
  Children children;
  size_t reaped = 0;
  for (uint64_t id = 1; id <= 50; id++) children.Add(test::Spawn([] {}), {id, 0});
  EXPECT_TRUE(Eventually([&] {
    pollfd one{signal.fd(), POLLIN, 0};
    if (poll(&one, 1, 1000) > 0) signal.Drain();
    reaped += Reap(children).size();
    return children.empty();
  }));
  EXPECT_EQ(reaped, 50u);

  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal.Restore();
}

TEST(ChildSignalTest, HandlerNeitherBlocksNorChangesErrno) {
  ChildSignal signal;
  errno = ENOTTY;
  for (int i = 0; i < 70'000; i++) raise(SIGCHLD);  // more than a pipe holds
  EXPECT_EQ(errno, ENOTTY);
  signal.Drain();
  EXPECT_FALSE(IsReadable(signal.fd()));
}

TEST(ChildSignalTest, RestoreGivesBackDispositionAndDescriptors) {
  struct sigaction own {};
  own.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &own, nullptr);
  const size_t open = test::Descriptors(getpid()).size();
  ChildSignal signal;
  EXPECT_EQ(test::Descriptors(getpid()).size(), open + 2);
  signal.Restore();
  signal.Restore();
  EXPECT_FALSE(signal.ok());
  EXPECT_EQ(test::Descriptors(getpid()).size(), open);
  sigaction(SIGCHLD, nullptr, &own);
  EXPECT_EQ(own.sa_handler, SIG_IGN);
  own.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &own, nullptr);
}

}  // namespace truefork
