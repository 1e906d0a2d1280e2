#include "isolation/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <thread>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

constexpr uid_t kNobody = 65534;

Privileges Nobody() {
  Privileges wanted;
  wanted.user = kNobody;
  wanted.group = kNobody;
  wanted.groups = {5};
  wanted.noNewPrivs = true;
  return wanted;
}

bool IsRoot() { return geteuid() == 0; }

}  // namespace

TEST(PrivilegesTest, AreGoneForEveryThread) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  Subject subject([] {
    uid_t seen = 0;
    bool dropped = false, done = false;
    std::thread other([&] {
      EXPECT_TRUE(test::Eventually([&] { return __atomic_load_n(&dropped, __ATOMIC_ACQUIRE); }));
      seen = geteuid();
      __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    });
    const auto failure = DropPrivileges(Nobody());
    EXPECT_FALSE(failure) << failure->what;
    __atomic_store_n(&dropped, true, __ATOMIC_RELEASE);
    other.join();
    EXPECT_EQ(seen, kNobody);
    EXPECT_EQ(getuid(), kNobody);
    EXPECT_EQ(getgid(), kNobody);
    EXPECT_NE(setuid(0), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

// With these, a change of the user keeps every capability (capabilities(7)).
TEST(PrivilegesTest, CapabilitiesThatWouldStayAreTakenToo) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  Subject subject([] {
    ASSERT_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS, 0, 0, 0), 0);
    const auto failure = DropPrivileges(Nobody());
    EXPECT_FALSE(failure) << failure->what;
    EXPECT_NE(setuid(0), 0);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(PrivilegesTest, WhoHasNoneToGiveFails) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  Subject subject([] {
    ASSERT_EQ(setresuid(1, 1, 1), 0);
    const auto failure = DropPrivileges(Nobody());
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->what, "setgroups");
    EXPECT_EQ(failure->errnum, EPERM);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(PrivilegesTest, AFolderThatTheNewUserMayNotEnterIsAFailure) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  Subject subject([] {
    char folder[] = "/tmp/truefork-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);  // for its owner alone
    Privileges wanted = Nobody();
    wanted.folder = folder;
    const auto failure = DropPrivileges(wanted);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->what, "chdir");
    EXPECT_EQ(failure->errnum, EACCES);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST(PrivilegesTest, UmaskAndNoNewPrivsNeedNoRoot) {
  Subject subject([] {
    Privileges wanted;
    wanted.umask = 027;
    wanted.noNewPrivs = true;
    EXPECT_FALSE(DropPrivileges(wanted));
    EXPECT_EQ(umask(0), mode_t{027});
    EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

// A change of credentials disarms it (prctl(2)).
TEST(PrivilegesTest, TheParentDeathSignalStaysArmed) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  Subject subject([] {
    EXPECT_EQ(prctl(PR_SET_PDEATHSIG, SIGCONT), 0);
    const auto failure = DropPrivileges(Nobody());
    EXPECT_FALSE(failure) << failure->what;
    int armed = 0;
    EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &armed), 0);
    EXPECT_EQ(armed, SIGCONT);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace truefork
