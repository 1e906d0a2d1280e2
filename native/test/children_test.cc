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

// How each child ended that Reap() reports, by its slot.
using Ends = std::map<uint32_t, std::string>;

Ends Reap(Children& children, Time now = Now()) {
  Ends ends;
  children.Reap(now, [&](const EndedChild& ended) { ends[ended.child.slot] = Describe(ended.status); });
  return ends;
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
  Children children;
  ASSERT_TRUE(children.ok());
  Gate gate;
  arena::Vector<pid_t> pids;
  for (uint32_t slot = 1; slot <= 5; slot++) {
    pids.push_back(gate.Spawn());
    children.Add(pids.back(), slot);
  }
  EXPECT_TRUE(Reap(children).empty());
  EXPECT_EQ(children.size(), 5u);

  gate.Open();
  for (const pid_t pid : pids) EXPECT_TRUE(BecomesZombie(pid));
  EXPECT_TRUE(IsReadable(children.fd()));
  EXPECT_EQ(Reap(children).size(), 5u);
  EXPECT_FALSE(IsReadable(children.fd()));
  EXPECT_TRUE(children.empty());
  for (const pid_t pid : pids) EXPECT_EQ(test::State(pid), '\0');
}

// Above this number only those are waited for that a signal came for.
TEST(ChildrenTest, AmongManyASweepFindsThoseWhoseSignalWasLost) {
  constexpr uint32_t kMany = 300;
  Children children;
  Gate gate;
  for (uint32_t slot = 0; slot < kMany; slot++) children.Add(gate.Spawn(), slot);

  // Signals are blocked, and so pending ones merge, while two children end.
  sigset_t childSignal, before;
  sigemptyset(&childSignal);
  sigaddset(&childSignal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &childSignal, &before);
  const pid_t one = test::Spawn([] {}), other = test::Spawn([] {});
  children.Add(one, kMany);
  children.Add(other, kMany + 1);
  EXPECT_TRUE(BecomesZombie(one) && BecomesZombie(other));
  sigprocmask(SIG_SETMASK, &before, nullptr);

  const Time now = Now();
  EXPECT_EQ(Reap(children, now).size(), 1u);
  ASSERT_TRUE(children.NextDeadline().IsSet());
  EXPECT_EQ(Reap(children, now).size(), 0u);
  EXPECT_EQ(Reap(children, children.NextDeadline().when()).size(), 1u);
  EXPECT_FALSE(children.NextDeadline().IsSet());
  EXPECT_EQ(children.size(), kMany);
  gate.Open();
  EXPECT_TRUE(Eventually([&] {
    Reap(children, Now() + std::chrono::seconds(1));
    return children.empty();
  }));
}

TEST(ChildrenTest, StatusIsReported) {
  Children children;
  Gate gate;
  const pid_t exits = gate.Spawn([] { _exit(7); });
  const pid_t killed = gate.Spawn([] { raise(SIGKILL); });
  children.Add(exits, 1);
  children.Add(killed, 2);
  gate.Open();
  EXPECT_TRUE(BecomesZombie(exits) && BecomesZombie(killed));
  EXPECT_EQ(Reap(children), (Ends{{1, "exit 7"}, {2, "Killed"}}));
}

TEST(ChildrenTest, UnknownChildIsReapedAndNotReported) {
  Children children;
  const pid_t unknown = test::Spawn([] {});
  EXPECT_TRUE(BecomesZombie(unknown));
  EXPECT_TRUE(Reap(children).empty());
  EXPECT_EQ(test::State(unknown), '\0');
}

TEST(ChildrenTest, ThoseThatServeAreCounted) {
  Children children;
  Gate gate;
  const pid_t one = gate.Spawn(), other = gate.Spawn();
  children.Add(one, 1);
  children.Add(other, 2);
  EXPECT_EQ(children.serving(), 0u);
  children.BeginServing(one, {41, Now(), {}});
  children.BeginServing(other, {42, Now(), {}});
  EXPECT_EQ(children.serving(), 2u);
  EXPECT_EQ(children.EndServing(one).id, 41u);
  EXPECT_EQ(children.serving(), 1u);
  gate.Open();
  EXPECT_TRUE(BecomesZombie(one) && BecomesZombie(other));
  EXPECT_EQ(Reap(children).size(), 2u);
  EXPECT_EQ(children.serving(), 0u);
}

TEST(ChildrenTest, SignalReachesAll) {
  Children children;
  Gate gate;
  arena::Vector<pid_t> pids = {gate.Spawn(), gate.Spawn()};
  for (const pid_t pid : pids) children.Add(pid, pid);
  children.Signal(SIGKILL);
  for (const pid_t pid : pids) EXPECT_TRUE(BecomesZombie(pid));
  for (const auto& [slot, how] : Reap(children)) EXPECT_EQ(how, "Killed") << slot;
}

// Every call that can be interrupted, is: no child may be missed for it.
TEST(ChildrenTest, ReapedUnderAStormOfSignals) {
  struct sigaction storm {};
  storm.sa_handler = [](int) {};
  sigaction(SIGALRM, &storm, nullptr);  // without SA_RESTART
  const itimerval often{{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);

  Children children;
  size_t reaped = 0;
  for (uint32_t slot = 1; slot <= 50; slot++) children.Add(test::Spawn([] {}), slot);
  EXPECT_TRUE(Eventually([&] {
    pollfd one{children.fd(), POLLIN, 0};
    if (poll(&one, 1, 1000) > 0) reaped += Reap(children).size();
    return children.empty();
  }));
  EXPECT_EQ(reaped, 50u);

  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
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

TEST(ChildSignalTest, SaysWhichChildHasEnded) {
  ChildSignal signal;
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  EXPECT_TRUE(BecomesZombie(pid));
  EXPECT_EQ(signal.Drain(), arena::Vector<pid_t>{pid});
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

}  // namespace truefork
