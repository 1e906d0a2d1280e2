#include "isolation/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cstring>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Subject;

std::string Names(const std::vector<Failure>& failures) {
  std::string names;
  for (const Failure& failure : failures) names += failure.what + " (" + strerror(failure.errnum) + "); ";
  return names;
}

LandlockRules Scope() {
  LandlockRules rules;
  rules.scope = true;
  return rules;
}

void Enter(const LandlockRules& rules, int abi = LandlockAbi()) {
  LandlockDomain domain;
  const auto failures = domain.Prepare(rules, abi);
  ASSERT_TRUE(domain.ok()) << Names(failures);
  ASSERT_EQ(domain.Enter(), 0);
}

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

long ReadByteOf(pid_t pid, const void* where) {
  char byte;
  const iovec here{&byte, 1};
  const iovec there{const_cast<void*>(where), 1};
  return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

int OpenMemoryOf(pid_t pid) {
  const int fd = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR);
  const int errnum = ErrnoOf(fd);
  if (fd >= 0) close(fd);
  return errnum;
}

sockaddr_un AbstractName(const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path + 1, name);
  return address;
}

// A fresh folder, removed at the end of the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/truefork-landlock-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { [[maybe_unused]] const int status = system(("rm -r " + path).c_str()); }
  std::string path;
};

const char kSecret = 's';

}  // namespace

class LandlockTest : public testing::Test {
 protected:
  void SetUp() override {
    if (LandlockAbi() == 0) GTEST_SKIP() << "no Landlock: " << strerror(errno);
  }
};

TEST_F(LandlockTest, NoSignalLeavesTheDomain) {
  if (LandlockAbi() < kLandlockScope) GTEST_SKIP() << "an older kernel";
  Subject outside([] { pause(); });
  Subject inside([&] {
    EXPECT_EQ(kill(outside.pid(), 0), 0);
    Enter(Scope());
    EXPECT_EQ(ErrnoOf(kill(outside.pid(), SIGKILL)), EPERM);
    EXPECT_EQ(ErrnoOf(kill(getppid(), SIGTERM)), EPERM);
    EXPECT_EQ(kill(getpid(), 0), 0);
    const pid_t own = fork();
    if (own == 0) pause();
    EXPECT_EQ(kill(own, SIGKILL), 0);
  });
  EXPECT_EQ(Describe(inside.Wait()), "exit 0");
  EXPECT_EQ(kill(outside.pid(), 0), 0);
}

TEST_F(LandlockTest, SiblingsAreInDomainsOfTheirOwn) {
  if (LandlockAbi() < kLandlockScope) GTEST_SKIP() << "an older kernel";
  LandlockDomain domain;
  ASSERT_EQ(Names(domain.Prepare(Scope())), "");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  Subject sibling([&] {
    EXPECT_EQ(domain.Enter(), 0);
    EXPECT_EQ(write(ready[1], "r", 1), 1);
    pause();
  });
  Subject attacker([&] {
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_EQ(ReadByteOf(sibling.pid(), &kSecret), 1) << "the test has to see what it would be without";
    EXPECT_EQ(domain.Enter(), 0);
    EXPECT_EQ(ErrnoOf(ReadByteOf(sibling.pid(), &kSecret)), EPERM);
    EXPECT_EQ(ErrnoOf(kill(sibling.pid(), SIGKILL)), EPERM);
  });
  EXPECT_EQ(Describe(attacker.Wait()), "exit 0");
  close(ready[0]);
  close(ready[1]);
}

TEST_F(LandlockTest, MemoryOfOthersCannotBeReadOnOlderKernelsEither) {
  for (const int abi : {kLandlockMemory, 2, kLandlockFiles, kLandlockTcp, 5, LandlockAbi()}) {
    Subject outside([] { pause(); });
    Subject inside([&] {
      EXPECT_EQ(OpenMemoryOf(outside.pid()), 0);
      Enter(Scope(), abi);
      EXPECT_EQ(OpenMemoryOf(outside.pid()), EACCES);
      EXPECT_EQ(ErrnoOf(ReadByteOf(outside.pid(), &kSecret)), EPERM);
      EXPECT_EQ(ErrnoOf(ptrace(PTRACE_ATTACH, outside.pid(), 0, 0)), EPERM);
      EXPECT_EQ(OpenMemoryOf(getpid()), 0);
    });
    EXPECT_EQ(Describe(inside.Wait()), "exit 0") << "version " << abi;
  }
}

TEST_F(LandlockTest, WhatOnlyGuardsMemoryTakesNoFilesAway) {
  Folder folder;
  Subject inside([&] {
    Enter(Scope(), 2);
    EXPECT_EQ(mkdir((folder.path + "/a").c_str(), 0700), 0);
    EXPECT_EQ(mkdir((folder.path + "/b").c_str(), 0700), 0);
    const int fd = open((folder.path + "/a/file").c_str(), O_CREAT | O_WRONLY, 0600);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(rename((folder.path + "/a/file").c_str(), (folder.path + "/b/file").c_str()), 0)
        << strerror(errno);
  });
  EXPECT_EQ(Describe(inside.Wait()), "exit 0");
}

TEST_F(LandlockTest, AbstractSocketsFromOutsideAreOutOfReach) {
  if (LandlockAbi() < kLandlockScope) GTEST_SKIP() << "an older kernel";
  const std::string name = "truefork-landlock-" + std::to_string(getpid());
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = AbstractName(name.c_str());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  Subject inside([&] {
    const auto connects = [&] {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      return ErrnoOf(connect(fd, reinterpret_cast<const sockaddr*>(&address), size));
    };
    EXPECT_EQ(connects(), 0);
    Enter(Scope());
    EXPECT_EQ(connects(), EPERM);
  });
  EXPECT_EQ(Describe(inside.Wait()), "exit 0");
  close(listener);
}

TEST_F(LandlockTest, FilesThatAreNotListedAreRefused) {
  if (LandlockAbi() < kLandlockFiles) GTEST_SKIP() << "an older kernel";
  Folder folder;
  ASSERT_EQ(mkdir((folder.path + "/r").c_str(), 0700), 0);
  ASSERT_EQ(mkdir((folder.path + "/w").c_str(), 0700), 0);
  const int fd = open((folder.path + "/r/file").c_str(), O_CREAT | O_WRONLY, 0600);
  close(fd);
  LandlockRules rules;
  rules.files = LandlockRules::Files{{folder.path + "/r", "/dev/null"}, {folder.path + "/w"}};
  Subject inside([&] {
    const auto opens = [](const std::string& path, int flags) {
      return ErrnoOf(open(path.c_str(), flags, 0600));
    };
    EXPECT_EQ(opens("/etc/passwd", O_RDONLY), 0);
    Enter(rules);
    test::NoLeakCheckAtExit();
    EXPECT_EQ(opens("/etc/passwd", O_RDONLY), EACCES);
    EXPECT_EQ(opens("/proc/self/maps", O_RDONLY), EACCES);
    EXPECT_EQ(opens(folder.path + "/r/file", O_RDONLY), 0);
    EXPECT_EQ(opens(folder.path + "/r/file", O_WRONLY), EACCES);
    EXPECT_EQ(opens(folder.path + "/r/new", O_WRONLY | O_CREAT), EACCES);
    EXPECT_EQ(ErrnoOf(truncate((folder.path + "/r/file").c_str(), 0)), EACCES);
    EXPECT_EQ(ErrnoOf(unlink((folder.path + "/r/file").c_str())), EACCES);
    EXPECT_EQ(opens(folder.path + "/w/new", O_RDWR | O_CREAT), 0);
    EXPECT_EQ(unlink((folder.path + "/w/new").c_str()), 0);
    EXPECT_EQ(ErrnoOf(mknod((folder.path + "/w/device").c_str(), S_IFCHR | 0600, 0x501)), EACCES);
    EXPECT_EQ(opens("/dev/null", O_RDONLY), 0);
    execl("/bin/true", "true", nullptr);
    EXPECT_EQ(errno, EACCES);
  });
  EXPECT_EQ(Describe(inside.Wait()), "exit 0");
}

TEST_F(LandlockTest, PortsThatAreNotListedAreRefused) {
  if (LandlockAbi() < kLandlockTcp) GTEST_SKIP() << "an older kernel";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const auto listens = [&](sockaddr_in* bound) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd, 4), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(bound), &size), 0);
    return fd;
  };
  sockaddr_in allowed{}, other{};
  const int one = listens(&allowed), two = listens(&other);
  LandlockRules rules;
  rules.tcp = LandlockRules::Tcp{{ntohs(allowed.sin_port)}, {}};
  Subject inside([&] {
    const auto connects = [](const sockaddr_in& to) {
      const int fd = socket(AF_INET, SOCK_STREAM, 0);
      return ErrnoOf(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to));
    };
    Enter(rules);
    EXPECT_EQ(connects(allowed), 0);
    EXPECT_EQ(connects(other), EACCES);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(ErrnoOf(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address)), EACCES);
  });
  EXPECT_EQ(Describe(inside.Wait()), "exit 0");
  close(one);
  close(two);
}

TEST_F(LandlockTest, WhatAnOlderKernelCannotEnforceIsNamed) {
  LandlockRules rules = Scope();
  rules.files = LandlockRules::Files{};
  rules.tcp = LandlockRules::Tcp{};
  const auto missing = [&](int abi) { return Names(LandlockDomain().Prepare(rules, abi)); };
  EXPECT_NE(missing(1).find("Linux 6.12"), std::string::npos);
  EXPECT_NE(missing(1).find("Linux 6.7"), std::string::npos);
  EXPECT_NE(missing(1).find("Linux 6.2"), std::string::npos);
  EXPECT_EQ(missing(5).find("Linux 6.2"), std::string::npos);
  EXPECT_NE(missing(5).find("Linux 6.12"), std::string::npos);
  LandlockDomain none;
  EXPECT_EQ(none.Prepare(rules, 0).size(), 1u);
  EXPECT_FALSE(none.ok());
}

TEST_F(LandlockTest, ARuleForWhatIsNotThereIsNamed) {
  if (LandlockAbi() < kLandlockFiles) GTEST_SKIP() << "an older kernel";
  LandlockRules rules;
  rules.files = LandlockRules::Files{{"/nowhere/at/all"}, {}};
  EXPECT_EQ(Names(LandlockDomain().Prepare(rules)),
            "the file rule for /nowhere/at/all (No such file or directory); ");
}

TEST_F(LandlockTest, TheSeventeenthDomainIsTooMany) {
  LandlockDomain domain;
  domain.Prepare(Scope());
  Subject subject([&] {
    for (int depth = 0; depth < 16; depth++) {
      EXPECT_EQ(domain.Try(), 0) << depth;
      EXPECT_EQ(domain.Enter(), 0) << depth;
    }
    EXPECT_EQ(domain.Try(), E2BIG);
    EXPECT_EQ(domain.Enter(), E2BIG);
  });
  EXPECT_EQ(Describe(subject.Wait()), "exit 0");
}

TEST_F(LandlockTest, ToTryItChangesNothing) {
  Subject outside([] { pause(); });
  LandlockDomain domain;
  domain.Prepare(Scope());
  EXPECT_EQ(domain.Try(), 0);
  EXPECT_EQ(kill(outside.pid(), 0), 0);
}

}  // namespace truefork
