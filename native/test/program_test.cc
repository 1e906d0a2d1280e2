#include "server/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;

// More than find a stack of their own at a time.
constexpr uint32_t kMany = 300;

Connection ConnectedTo(int fd) { return Connection{fd, 1, {}, {}, ""}; }

// Starts so many, then waits for all: how each of them ended, and why it could not become the program.
using Ends = std::multiset<std::pair<std::string, int>>;

Ends RunMany(Program& program, const std::function<void()>& inChild = {}) {
  Slots slots(kMany);
  const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  std::map<pid_t, uint32_t> slotOf;
  while (slotOf.size() < kMany) {
    const uint32_t slot = slots.Take();
    const pid_t pid = program.Start(ConnectedTo(fd), &slots[slot], inChild);
    EXPECT_GT(pid, 0) << strerror(errno);
    if (pid < 0) break;
    slotOf[pid] = slot;
  }
  Ends ends;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0; program.Forget(pid)) {
    ends.insert({Describe(status), slots[slotOf.at(pid)].execErrnum});
  }
  close(fd);
  return ends;
}

// Ends of one kind alone.
testing::AssertionResult AllEnd(const Ends& ends, const std::string& how, int errnum) {
  if (ends.size() != kMany) return testing::AssertionFailure() << ends.size() << " have ended";
  for (const auto& [status, why] : ends) {
    if (status != how || why != errnum) return testing::AssertionFailure() << status << ", errno " << why;
  }
  return testing::AssertionSuccess();
}

char** NoEnvironment() {
  static char* none[] = {nullptr};
  return none;
}

// A program marks the descriptors of its process for closing: it gets one of its own.
void InProcess(const std::function<void()>& body) {
  test::Subject subject(body);
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace

TEST(ProgramTest, ManyAtOnceEachBecomeIt) {
  InProcess([] {
    Program program("/bin/sh", {"sh", "-c", "exit 7"}, NoEnvironment());
    EXPECT_TRUE(AllEnd(RunMany(program), "exit 7", 0));
    EXPECT_TRUE(AllEnd(RunMany(program), "exit 7", 0));
  });
}

TEST(ProgramTest, ManyAtOnceThatCannotSayWhy) {
  InProcess([] {
    Program nowhere("/no/such/program", {"program"}, NoEnvironment());
    EXPECT_TRUE(AllEnd(RunMany(nowhere), "exit 127", ENOENT));
    Program folder("/etc", {"etc"}, NoEnvironment());
    EXPECT_TRUE(AllEnd(RunMany(folder), "exit 126", EACCES));
  });
}

// Who runs beside its children on the same memory has its own errno.
TEST(ProgramTest, FailureOfChildrenIsNotTheParentsErrno) {
  InProcess([] {
    Program nowhere("/no/such/program", {"program"}, NoEnvironment());
    Slots slots(kMany);
    for (uint32_t i = 0; i < kMany / 10; i++) {
      if (i > 0) errno = 0;  // the first looks at all signals, of which some are none
      const pid_t pid = nowhere.Start(ConnectedTo(0), &slots[slots.Take()], {});
      siginfo_t info;
      EXPECT_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
      if (i > 0) EXPECT_EQ(errno, 0);
      waitpid(pid, nullptr, 0);
      nowhere.Forget(pid);
    }
  });
}

// What is done in the child with the C library is done while the parent waits.
TEST(ProgramTest, ManyWithSomethingToDoFirst) {
  InProcess([] {
    Program program("/bin/sh", {"sh", "-c", "exit $(umask)"}, NoEnvironment());
    EXPECT_TRUE(AllEnd(RunMany(program, [] { umask(0011); }), "exit 11", 0));
    EXPECT_NE(umask(0), 0011u);
  });
}

TEST(ProgramTest, KilledBeforeItsFirstStepItLeavesRoomForOthers) {
  InProcess([] {
    Program program("/bin/sh", {"sh", "-c", "exit 7"}, NoEnvironment());
    Slots slots(kMany);
    for (uint32_t i = 0; i < kMany; i++) {
      const pid_t pid = program.Start(ConnectedTo(0), &slots[slots.Take()], {});
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
      program.Forget(pid);
    }
    EXPECT_TRUE(AllEnd(RunMany(program), "exit 7", 0));
  });
}

}  // namespace truefork
