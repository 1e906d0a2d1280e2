#include "isolation/process_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Eventually;
using test::Subject;

// Its read end has no writer left once every process that inherited it is gone.
struct Lives {
  Lives() { EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0); }
  ~Lives() { close(ends[0]); }
  void CloseOwn() { close(ends[1]); }
  void AwaitEndOfAll() {
    char byte;
    ssize_t size;
    while ((size = read(ends[0], &byte, 1)) > 0) continue;
    EXPECT_EQ(size, 0);
  }
  int ends[2];
};

void Sleep() {
  for (;;) pause();
}

// As daemon(3): its parent is gone, and it has a session of its own.
void StartDaemon() {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  Sleep();
}

int Reap() {
  int reaped = 0;
  while (waitpid(-1, nullptr, WNOHANG) > 0) reaped++;
  return reaped;
}

}  // namespace

TEST(ProcessTreeTest, DaemonsAreKilledWithWhoStartedThem) {
  Subject subject([] {
    MakeSubreaper();
    ProcessTree tree;
    Lives lives;
    const pid_t child = fork();
    if (child == 0) {
      MakeSubreaper();
      for (int i = 0; i < 3; i++) StartDaemon();
      Sleep();
    }
    lives.CloseOwn();
    EXPECT_TRUE(Eventually([&] { return tree.DescendantsOf(child).size() >= 3; }));
    EXPECT_TRUE(tree.Kill(child).empty());
    lives.AwaitEndOfAll();
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(ProcessTreeTest, WhatForksAllTheTimeDoesNotOutrunIt) {
  Subject subject([] {
    MakeSubreaper();
    ProcessTree tree;
    Lives lives;
    const pid_t child = fork();
    if (child == 0) {
      MakeSubreaper();
      signal(SIGCHLD, SIG_IGN);
      // Each goes on as its own child, in a session of its own: no pid of it lasts.
      for (int i = 0; i < 4; i++) {
        if (fork() != 0) continue;
        for (;;) {
          setsid();
          if (fork() != 0) _exit(0);
        }
      }
      Sleep();
    }
    lives.CloseOwn();
    EXPECT_TRUE(Eventually([&] { return tree.DescendantsOf(child).size() >= 2; }));
    tree.Kill(child);
    EXPECT_TRUE(Eventually([&] {
      tree.KillOrphans([](pid_t) { return false; });
      Reap();
      return tree.ChildrenOf(getpid()).empty();
    }));
    lives.AwaitEndOfAll();
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(ProcessTreeTest, WhatAChildLeavesIsAnOrphanOfOurs) {
  Subject subject([] {
    MakeSubreaper();
    ProcessTree tree;
    Lives lives;
    const pid_t known = fork();
    if (known == 0) Sleep();
    const pid_t child = fork();
    if (child == 0) {
      MakeSubreaper();
      StartDaemon();
      StartDaemon();
      _exit(0);
    }
    lives.CloseOwn();
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_EQ(tree.KillOrphans([&](pid_t pid) { return pid == known; }), 0u);
    EXPECT_TRUE(Eventually([&] {
      tree.KillOrphans([&](pid_t pid) { return pid == known; });
      Reap();
      const auto left = tree.ChildrenOf(getpid());
      return left.size() == 1 && left[0] == known;
    }));
    EXPECT_EQ(kill(known, SIGKILL), 0);
    lives.AwaitEndOfAll();
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(ProcessTreeTest, StoppedProcessesAreKilledToo) {
  Subject subject([] {
    ProcessTree tree;
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) Sleep();
      raise(SIGSTOP);
      Sleep();
    }
    EXPECT_TRUE(Eventually([&] { return tree.ChildrenOf(child).size() == 1; }));
    EXPECT_TRUE(tree.Kill(child).empty());
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(Describe(status), "Killed");
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(ProcessTreeTest, ProcessesOfAnotherUserAreNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Subject subject([] {
    ProcessTree tree;
    const pid_t child = fork();
    if (child == 0) Sleep();
    EXPECT_EQ(setresuid(65534, 65534, 0), 0);
    EXPECT_EQ(tree.Kill(child), std::vector<pid_t>{child});
    EXPECT_EQ(setresuid(0, 0, 0), 0);
    EXPECT_EQ(kill(child, SIGKILL), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace truefork
