#include "isolation/uid_range.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "isolation/capabilities.h"
#include "isolation/privileges.h"
#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Eventually;
using test::Subject;

// Out of the way of accounts, and of other tests that run at the same time.
uint32_t FirstOfTest() { return 3'000'000 + static_cast<uint32_t>(getpid()) * 16; }

}  // namespace

class UidRangeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(UidRangeTest, AChildIsItsOwnUserAndNothingMore) {
  const uint32_t uid = FirstOfTest();
  Subject subject([&] {
    EXPECT_EQ(BecomeUser(uid), 0);
    EXPECT_EQ(getuid(), uid);
    EXPECT_EQ(geteuid(), uid);
    EXPECT_EQ(getegid(), uid);
    EXPECT_EQ(getgroups(0, nullptr), 0);
    EXPECT_TRUE(HasNoCapabilities());
    EXPECT_NE(setuid(0), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST_F(UidRangeTest, NeverRoot) {
  Subject subject([] { EXPECT_EQ(BecomeUser(0), EINVAL); });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
  EXPECT_EQ(UidRange(0, 0).Take(), std::nullopt);
}

TEST_F(UidRangeTest, EachIsTakenOnceUntilItIsReleased) {
  const uint32_t first = FirstOfTest();
  UidRange range(first, first + 1);
  const auto one = range.Take();
  const auto two = range.Take();
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  EXPECT_EQ(range.Take(), std::nullopt);
  range.Release(*one);
  EXPECT_EQ(range.Take(), one);
}

TEST_F(UidRangeTest, AUidIsUsedAgainWhenNoProcessOfItIsLeft) {
  const uint32_t uid = FirstOfTest();
  UidRange range(uid, uid);
  ASSERT_EQ(range.Take(), uid);
  Subject leftover([&] {
    EXPECT_EQ(BecomeUser(uid), 0);
    for (;;) pause();
  });
  ASSERT_TRUE(Eventually([&] { return !UidRange::KillAllOf(uid); }));
  range.Release(uid);  // it is a zombie still, or about to be: not waited for
  EXPECT_EQ(range.Take(), std::nullopt);
  EXPECT_EQ(Describe(leftover.Wait()), "Killed");
  EXPECT_TRUE(Eventually([&] { return range.Take() == uid; }));
}

TEST_F(UidRangeTest, OneThatSomebodyHasIsLeftOutAndLives) {
  const uint32_t uid = FirstOfTest();
  Subject somebody([&] {
    EXPECT_EQ(BecomeUser(uid), 0);
    for (;;) pause();
  });
  ASSERT_TRUE(Eventually([&] { return getpriority(PRIO_USER, uid) != -1 || errno != ESRCH; }));
  EXPECT_EQ(UidRange(uid, uid + 1).Take(), uid + 1);
  EXPECT_EQ(kill(somebody.pid(), 0), 0);
}

TEST_F(UidRangeTest, TheParentNeedsThreeCapabilitiesAlone) {
  const uint32_t own = FirstOfTest();
  Subject zygote([&] {
    Privileges wanted;
    wanted.user = wanted.group = own;
    wanted.startsUsers = true;
    const auto failure = DropPrivileges(wanted);
    EXPECT_FALSE(failure) << failure->what;
    EXPECT_EQ(geteuid(), own);
    EXPECT_NE(open("/etc/shadow", O_RDONLY), 0);
    EXPECT_EQ(errno, EACCES);
    UidRange range(own + 1, own + 4);
    const auto uid = range.Take();
    EXPECT_TRUE(uid);
    const pid_t child = fork();
    if (child == 0) {
      EXPECT_EQ(BecomeUser(*uid), 0);
      EXPECT_TRUE(HasNoCapabilities());
      EXPECT_NE(kill(getppid(), 0), 0);
      test::ExitSubject();
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(Describe(status), "exit 0");
    // Not a setuid program's either: the bounding set is empty.
    EXPECT_EQ(prctl(PR_CAPBSET_READ, 7, 0, 0, 0), 0);
  });
  EXPECT_EQ(Describe(zygote.Wait()), "exit 0");
}

}  // namespace truefork
