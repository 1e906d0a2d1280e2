#include "server/exec_spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "support/faults.h"
#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;

// More than can be on their way at the same time.
constexpr uint32_t kMany = 300;

Connection ConnectedTo(int fd) { return Connection{fd, 1, {}, {}, ""}; }

char** NoEnvironment() {
  static char* none[] = {nullptr};
  return none;
}

// A spawner, and what it needs.
struct Spawning {
  explicit Spawning(const std::string& path, const std::vector<std::string>& arguments)
      : spawner({path, arguments, NoEnvironment()}, slots, limits, isolation) {}

  pid_t Spawn(int fd) {
    const Spawned child = spawner.Spawn(ConnectedTo(fd));
    EXPECT_GT(child.pid, 0) << strerror(errno);
    EXPECT_EQ(child.channel, -1);
    slotOf[child.pid] = child.slot;
    return child.pid;
  }

  Slots slots{2 * kMany};
  ResourceLimits limits;
  ChildIsolation isolation{ChildIsolation::Options{}};
  ExecSpawner spawner;
  std::map<pid_t, uint32_t> slotOf;
};

// Starts kMany, then waits for all: how each of them ended, and its execErrnum.
using Ends = std::multiset<std::pair<std::string, int>>;

Ends RunMany(Spawning& spawning) {
  const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (uint32_t i = 0; i < kMany; i++) {
    if (spawning.Spawn(fd) < 0) break;
  }
  Ends ends;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0; spawning.spawner.Forget(pid)) {
    const uint32_t slot = spawning.slotOf.at(pid);
    ends.insert({Describe(status), spawning.slots[slot].execErrnum});
    spawning.slots.Free(slot);
  }
  close(fd);
  return ends;
}

testing::AssertionResult AllEnd(const Ends& ends, const std::string& how, int errnum) {
  if (ends.size() != kMany) return testing::AssertionFailure() << ends.size() << " have ended";
  for (const auto& [status, why] : ends) {
    if (status != how || why != errnum) return testing::AssertionFailure() << status << ", errno " << why;
  }
  return testing::AssertionSuccess();
}

// The spawner marks all descriptors of its process close-on-exec, so each test has a process of its own.
void InProcess(const std::function<void()>& body) {
  test::Subject subject(body);
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace

TEST(ExecSpawnerTest, ManyAtOnceAllBecomeTheProgram) {
  InProcess([] {
    Spawning spawning("/bin/sh", {"sh", "-c", "exit 7"});
    EXPECT_TRUE(AllEnd(RunMany(spawning), "exit 7", 0));
    EXPECT_TRUE(AllEnd(RunMany(spawning), "exit 7", 0));
  });
}

TEST(ExecSpawnerTest, ManyAtOnceThatCannotBeExecuted) {
  InProcess([] {
    Spawning nowhere("/no/such/program", {"program"});
    EXPECT_TRUE(AllEnd(RunMany(nowhere), "exit 127", ENOENT));
    Spawning folder("/etc", {"etc"});
    EXPECT_TRUE(AllEnd(RunMany(folder), "exit 126", EACCES));
  });
}

// Parent and children run in the same memory at the same time, and errno is there once.
TEST(ExecSpawnerTest, FailureOfAChildIsNotTheParentsErrno) {
  InProcess([] {
    Spawning nowhere("/no/such/program", {"program"});
    for (uint32_t i = 0; i < kMany / 10; i++) {
      if (i > 0) errno = 0;  // the first spawn asks for the action of all signals, and some do not exist
      const pid_t pid = nowhere.Spawn(0);
      siginfo_t info;
      EXPECT_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
      if (i > 0) EXPECT_EQ(errno, 0);
      waitpid(pid, nullptr, 0);
      nowhere.spawner.Forget(pid);
    }
  });
}

// Limits are set with the C library, while the parent waits.
TEST(ExecSpawnerTest, ManyWithResourceLimits) {
  InProcess([] {
    Spawning spawning("/bin/sh", {"sh", "-c", "exit $(ulimit -n)"});
    protocol::ResourcesCommand limits{};
    limits.openFiles = 23;
    limits.set = protocol::kOpenFiles;
    spawning.limits.Set(limits);
    EXPECT_TRUE(AllEnd(RunMany(spawning), "exit 23", 0));
    rlimit own;
    getrlimit(RLIMIT_NOFILE, &own);
    EXPECT_GT(own.rlim_cur, 23u);
  });
}

TEST(ExecSpawnerTest, AChildKilledAtItsFirstStepLeavesRoomForOthers) {
  InProcess([] {
    Spawning spawning("/bin/sh", {"sh", "-c", "exit 7"});
    for (uint32_t i = 0; i < kMany; i++) {
      const pid_t pid = spawning.Spawn(0);
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
      spawning.spawner.Forget(pid);
      spawning.slots.Free(spawning.slotOf.at(pid));
    }
    EXPECT_TRUE(AllEnd(RunMany(spawning), "exit 7", 0));
  });
}

TEST(ExecSpawnerTest, ForkThatFailsTakesNoSlot) {
  InProcess([] {
    Spawning spawning("/bin/true", {"true"});
    faults::Arm(faults::Call::Fork, EAGAIN, 1, 0);
    const Spawned failed = spawning.spawner.Spawn(ConnectedTo(0));
    EXPECT_EQ(failed.pid, -1);
    EXPECT_EQ(errno, EAGAIN);
    const pid_t pid = spawning.Spawn(0);
    EXPECT_EQ(spawning.slotOf.at(pid), 0u);
    waitpid(pid, nullptr, 0);
  });
}

}  // namespace truefork
