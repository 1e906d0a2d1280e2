#include "isolation/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

ConfinementRules SandboxRules() {
  ConfinementRules rules;
  rules.sandbox = ConfinementRules::Sandbox{};
  rules.sandbox->network = NetworkRules{};
  return rules;
}

bool HasAll() { return LandlockAbi() >= kLandlockScope; }

}  // namespace

TEST(ConfinementTest, NothingIsAskedForAndNothingHolds) {
  Confinement none;
  EXPECT_TRUE(none.Prepare({}).empty());
  EXPECT_FALSE(none.Any());
  EXPECT_EQ(none.Enter(0).part, nullptr);
}

TEST(ConfinementTest, ASandboxHoldsInEveryPart) {
  if (!HasAll() || geteuid() != 0) GTEST_SKIP() << "needs root, and Linux 6.12";
  ConfinementRules rules = SandboxRules();
  rules.sandbox->files.write = {"/tmp"};
  rules.sandbox->maxFileSize = 1000;
  rules.sandbox->maxProcesses = 3;
  rules.sandbox->ownUser = true;
  Confinement confinement;
  const auto failures = confinement.Prepare(rules);
  ASSERT_TRUE(failures.empty()) << failures[0].what << ": " << strerror(failures[0].errnum);
  EXPECT_EQ(confinement.holds(), kGuardsMemory | kGuardsSignals | kGuardsFiles | kFiltersCalls |
                                     kGuardsNetwork | kLimitsFileSize | kLimitsProcesses | kOwnUser);
  const uint32_t uid = 3'000'000 + getpid();
  Subject subject([&] {
    EXPECT_EQ(confinement.EnterOnce(), 0);
    const auto entered = confinement.Enter(uid);
    EXPECT_EQ(entered.part, nullptr) << entered.part << ": " << strerror(entered.errnum);
    EXPECT_EQ(getuid(), uid);
    EXPECT_EQ(ErrnoOf(open("/etc/passwd", O_RDONLY)), EACCES);
    EXPECT_EQ(ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)), EACCES);
    EXPECT_EQ(ErrnoOf(kill(getppid(), 0)), EPERM);
    const std::string file = "/tmp/truefork-confinement-" + std::to_string(getpid());
    const int fd = open(file.c_str(), O_CREAT | O_WRONLY, 0600);
    EXPECT_GE(fd, 0);
    const std::string text(1001, 'x');
    EXPECT_EQ(write(fd, text.data(), text.size()), 1000);
    EXPECT_EQ(ErrnoOf(write(fd, text.data(), text.size())), EFBIG);
    EXPECT_EQ(unlink(file.c_str()), 0);
    int started = 0;
    for (int i = 0; i < 10; i++) {
      const pid_t pid = fork();
      if (pid == 0) _exit(pause());
      if (pid < 0) {
        EXPECT_EQ(errno, EAGAIN);
        break;
      }
      started++;
    }
    EXPECT_EQ(started, 2) << "and this process is the third";
    if (testing::Test::HasFailure()) test::ExitSubject();
    kill(0, SIGTERM);  // the children, and this process
  });
  EXPECT_EQ(Describe(subject.Wait()), "Terminated");
}

TEST(ConfinementTest, WhatIsRequiredAndDoesNotHoldIsNamed) {
  ConfinementRules rules = SandboxRules();
  rules.sandbox->maxProcesses = 3;
  rules.sandbox->files.read = {"/nowhere/at/all"};
  Confinement confinement;
  std::string named;
  for (const Failure& failure : confinement.Prepare(rules)) named += failure.what + "; ";
  EXPECT_NE(named.find("a limit on processes"), std::string::npos) << named;
  EXPECT_NE(named.find("/nowhere/at/all"), std::string::npos) << named;
}

// A process in 16 domains: a sandbox within sandboxes.
TEST(ConfinementTest, WhereDomainsAreTooDeepItSaysSo) {
  if (LandlockAbi() == 0) GTEST_SKIP() << "no Landlock";
  Subject subject([] {
    ConfinementRules rules;
    rules.scope = ConfinementRules::Scope::Wanted;
    for (int depth = 0; depth < 16; depth++) {
      Confinement outer;
      EXPECT_TRUE(outer.Prepare(rules).empty());
      EXPECT_EQ(outer.Enter(0).part, nullptr);
    }
    Confinement wanted;
    EXPECT_TRUE(wanted.Prepare(rules).empty());
    EXPECT_EQ(wanted.holds(), static_cast<uint32_t>(kDomainsTooDeep));
    EXPECT_FALSE(wanted.Any());
    rules.scope = ConfinementRules::Scope::Required;
    Confinement required;
    const auto failures = required.Prepare(rules);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].errnum, E2BIG);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

}  // namespace truefork
