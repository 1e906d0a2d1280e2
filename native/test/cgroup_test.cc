#include "isolation/cgroup.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

// A /proc and a hierarchy of plain files, in which writing is what a manager would have to allow.
struct Machine {
  explicit Machine(const std::string& path) {
    char name[] = "/tmp/truefork-cgroup-XXXXXX";
    root = mkdtemp(name);
    mkdir((root + "/self").c_str(), 0700);
    Put("/self/mountinfo",
        "25 1 0:22 / /proc rw - proc proc rw\n30 1 0:26 / " + root + "/cg rw,nosuid - cgroup2 c rw\n");
    Put("/self/cgroup", "5:pids:/elsewhere\n0::" + path + "\n");
    mkdir((root + "/cg").c_str(), 0700);
  }
  ~Machine() { [[maybe_unused]] const int status = system(("rm -r " + root).c_str()); }

  void Put(const std::string& file, const std::string& text) { std::ofstream(root + file) << text; }
  std::string Text(const std::string& file) {
    std::stringstream text;
    text << std::ifstream(root + file).rdbuf();
    return text.str();
  }
  void Group(const std::string& path, const std::string& controllers, const std::string& enabled) {
    mkdir((root + "/cg" + path).c_str(), 0700);
    Put("/cg" + path + "/cgroup.procs", "");
    Put("/cg" + path + "/cgroup.controllers", controllers);
    Put("/cg" + path + "/cgroup.subtree_control", enabled);
  }

  std::string root;
};

}  // namespace

TEST(CgroupTest, TheOwnGroupIsDelegatedWhereItCanBeWrittenTo) {
  Machine machine("/service");
  machine.Group("/service", "cpu pids", "");
  const Delegation found = FindDelegatedCgroup(false, machine.root);
  EXPECT_EQ(found.folder, machine.root + "/cg/service");
}

TEST(CgroupTest, ALimitOnProcessesNeedsTheControllerInTheGroupAbove) {
  Machine machine("/service/main");
  machine.Group("/service", "cpu pids", "pids");
  machine.Group("/service/main", "", "");
  EXPECT_EQ(FindDelegatedCgroup(true, machine.root).folder, machine.root + "/cg/service");
}

TEST(CgroupTest, WithoutItTheReasonIsGiven) {
  Machine machine("/service");
  machine.Group("/service", "cpu", "");
  const Delegation found = FindDelegatedCgroup(true, machine.root);
  ASSERT_TRUE(found.failure);
  EXPECT_NE(found.failure->what.find("pids controller"), std::string::npos);
}

TEST(CgroupTest, WithoutVersion2ThereIsNone) {
  Machine machine("/service");
  machine.Put("/self/mountinfo", "25 1 0:22 / /proc rw - proc proc rw\n");
  ASSERT_TRUE(FindDelegatedCgroup(false, machine.root).failure);
}

TEST(CgroupTest, EverythingInAGroupIsKilledAtOnce) {
  const Delegation delegation = FindDelegatedCgroup(false);
  if (!delegation.folder) GTEST_SKIP() << delegation.failure->what;
  Cgroup group(*delegation.folder + "/truefork-test-" + std::to_string(getpid()));
  ASSERT_TRUE(group.ok());
  {
    int added[2];
    ASSERT_EQ(pipe(added), 0);
    Subject subject([&] {
      char byte;
      EXPECT_EQ(read(added[0], &byte, 1), 1);
      if (fork() == 0) setsid();
      for (;;) pause();
    });
    ASSERT_EQ(group.Add(subject.pid()), 0);
    EXPECT_EQ(group.Remove(), EBUSY);
    ASSERT_EQ(write(added[1], "a", 1), 1);
    close(added[0]);
    close(added[1]);
    const int errnum = group.Kill();
    if (errnum == ENOENT) {
      EXPECT_EQ(kill(subject.pid(), SIGKILL), 0);  // Linux before 5.14
    } else {
      EXPECT_EQ(errnum, 0);
    }
    EXPECT_EQ(Describe(subject.Wait()), "Killed");
  }
  EXPECT_TRUE(test::Eventually([&] { return group.Remove() == 0; }));
}

}  // namespace truefork
