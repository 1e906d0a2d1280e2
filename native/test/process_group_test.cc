#include "isolation/process_group.h"

#include <signal.h>
#include <sys/wait.h>

#include "test/subject.h"

namespace truefork {

using test::Describe;
using test::Eventually;
using test::Subject;

TEST(ProcessGroupTest, KillOfTheGroupReachesNobodyElse) {
  Subject parent([] {
    const pid_t sibling = fork();
    if (sibling == 0) {
      LeadProcessGroup();
      for (;;) pause();
    }
    MakeProcessGroup(sibling);
    const pid_t attacker = fork();
    if (attacker == 0) {
      LeadProcessGroup();
      kill(0, SIGKILL);
      _exit(1);
    }
    MakeProcessGroup(attacker);
    int status = 0;
    EXPECT_EQ(waitpid(attacker, &status, 0), attacker);
    EXPECT_EQ(Describe(status), "Killed");
    EXPECT_EQ(waitpid(sibling, &status, WNOHANG), 0) << "the sibling lives";
    kill(sibling, SIGKILL);
  });
  EXPECT_EQ(Describe(parent.Wait()), "exit 0");
}

// The pipe has no writer left when all of them are gone.
TEST(ProcessGroupTest, ASignalReachesAllThatTheChildStarted) {
  Subject parent([] {
    int writers[2];
    EXPECT_EQ(pipe(writers), 0);
    const pid_t child = fork();
    if (child == 0) {
      LeadProcessGroup();
      fork();
      fork();
      for (;;) pause();
    }
    MakeProcessGroup(child);
    close(writers[1]);
    EXPECT_EQ(SignalProcessGroup(child, SIGKILL), 0);
    char byte;
    EXPECT_EQ(read(writers[0], &byte, 1), 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(Eventually([&] { return SignalProcessGroup(child, 0) == ESRCH; }));
  });
  EXPECT_EQ(Describe(parent.Wait()), "exit 0");
}

TEST(ProcessGroupTest, AChildThatLeftItsGroupIsSignalledAlone) {
  Subject parent([] {
    int moved[2];
    EXPECT_EQ(pipe(moved), 0);
    const pid_t other = fork();
    if (other == 0)
      for (;;) pause();
    setpgid(other, other);
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, other);
      EXPECT_EQ(write(moved[1], "m", 1), 1);
      for (;;) pause();
    }
    char byte;
    EXPECT_EQ(read(moved[0], &byte, 1), 1);
    EXPECT_EQ(SignalProcessGroup(child, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(Describe(status), "Killed");
    EXPECT_EQ(kill(other, SIGKILL), 0);
  });
  EXPECT_EQ(Describe(parent.Wait()), "exit 0");
}

}  // namespace truefork
