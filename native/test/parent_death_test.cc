#include "isolation/parent_death.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Eventually;

// A process that stays, however it is left.
[[noreturn]] void Stay() {
  for (;;) pause();
}

pid_t ReadPid(int fd) {
  pid_t pid = -1;
  EXPECT_EQ(recv(fd, &pid, sizeof pid, MSG_WAITALL), static_cast<ssize_t>(sizeof pid));
  return pid;
}

void Tell(int fd, pid_t pid) { EXPECT_EQ(send(fd, &pid, sizeof pid, 0), static_cast<ssize_t>(sizeof pid)); }

// Orphans come to this process, so that it can see how they ended.
void AdoptOrphans() { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }

int WaitFor(pid_t pid) {
  int status = -1;
  EXPECT_TRUE(Eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }));
  return status;
}

}  // namespace

TEST(DieWithParentTest, ChildDiesWhenItsParentIsKilled) {
  AdoptOrphans();
  test::SocketPair tell;
  test::Subject parent([&] {
    const pid_t self = getpid();
    if (fork() == 0) {
      DieWithParent(self);
      Tell(tell.fds[1], getpid());
      Stay();
    }
    Stay();
  });
  const pid_t child = ReadPid(tell.fds[0]);
  kill(parent.pid(), SIGKILL);
  EXPECT_EQ(Describe(parent.Wait()), "Killed");
  EXPECT_EQ(Describe(WaitFor(child)), "Killed");
}

TEST(DieWithParentTest, ChildWhoseParentIsGoneAlreadyEndsAtOnce) {
  test::Subject orphan([] {
    DieWithParent(getpid());  // surely not its parent
    Stay();
  });
  EXPECT_EQ(Describe(orphan.Wait()), "exit 0");
}

TEST(DieWithPeerTest, WholeGroupEndsWhenThePeerCloses) {
  AdoptOrphans();
  test::SocketPair peer, tell;
  test::Subject zygote([&] {
    peer.Close(0);
    DieWithPeer(peer.fds[1]);
    if (fork() == 0) {
      Tell(tell.fds[1], getpid());
      Stay();
    }
    Stay();
  });
  const pid_t child = ReadPid(tell.fds[0]);
  peer.Close(0);
  EXPECT_EQ(Describe(zygote.Wait()), "Killed");
  EXPECT_EQ(Describe(WaitFor(child)), "Killed");
}

TEST(DieWithPeerTest, InterruptsAnEndlessLoop) {
  test::SocketPair peer, tell;
  test::Subject zygote([&] {
    peer.Close(0);
    DieWithPeer(peer.fds[1]);
    Tell(tell.fds[1], getpid());
    for (volatile bool forever = true; forever;) continue;
  });
  ReadPid(tell.fds[0]);
  peer.Close(0);
  EXPECT_EQ(Describe(zygote.Wait()), "Killed");
}

// In a session of its own, as a zygote is: in the owner's, the kernel itself would continue an orphaned
// group.
TEST(DieWithPeerTest, AStoppedProcessEndsWithItsParentToo) {
  AdoptOrphans();
  test::SocketPair tell;
  test::Subject owner([&] {
    test::SocketPair peer;
    const pid_t zygote = fork();
    if (zygote == 0) {
      setsid();
      peer.Close(0);
      DieWithPeer(peer.fds[1]);
      raise(SIGSTOP);
      StopDyingWithPeer();
      char end;
      _exit(recv(peer.fds[1], &end, 1, 0) == 0 ? 7 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(zygote, &status, WUNTRACED), zygote);
    EXPECT_TRUE(WIFSTOPPED(status));
    Tell(tell.fds[1], zygote);
    kill(getpid(), SIGKILL);
  });
  const pid_t zygote = ReadPid(tell.fds[0]);
  EXPECT_EQ(Describe(owner.Wait()), "Killed");
  EXPECT_EQ(Describe(WaitFor(zygote)), "Killed");  // by its own group, before it reads
}

TEST(DieWithPeerTest, PeerThatIsGoneAlready) {
  test::SocketPair peer;
  peer.Close(0);
  test::Subject zygote([&] {
    DieWithPeer(peer.fds[1]);
    Stay();
  });
  EXPECT_EQ(Describe(zygote.Wait()), "Killed");
}

TEST(DieWithPeerTest, WordsOfThePeerEndNobody) {
  test::SocketPair peer;
  test::Subject zygote([&] {
    peer.Close(0);
    DieWithPeer(peer.fds[1]);
    EXPECT_EQ(ReadPid(peer.fds[1]), 7777);  // SIGIO came with it
    Tell(peer.fds[1], getpid());
  });
  Tell(peer.fds[0], 7777);
  EXPECT_EQ(ReadPid(peer.fds[0]), zygote.pid());
  EXPECT_EQ(Describe(zygote.Wait()), "exit 0");
}

TEST(DieWithPeerTest, EndsWithStopDyingWithPeer) {
  test::SocketPair peer, tell;
  test::Subject zygote([&] {
    peer.Close(0);
    DieWithPeer(peer.fds[1]);
    StopDyingWithPeer();
    Tell(tell.fds[1], getpid());
    char end;
    EXPECT_EQ(recv(peer.fds[1], &end, 1, 0), 0);  // it sees the peer go by itself
  });
  ReadPid(tell.fds[0]);
  peer.Close(0);
  EXPECT_EQ(Describe(zygote.Wait()), "exit 0");
}

}  // namespace truefork
