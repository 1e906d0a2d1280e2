#include "isolation/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolation/throwaway.h"
#include "support/libc.h"
#include "support/raw_syscall.h"

namespace truefork {

namespace {

// linux/landlock.h, of which builders have older ones; the numbers are the same on every architecture.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr uint32_t kAskVersion = 1;

struct RulesetAttributes {
  uint64_t handledFiles;
  uint64_t handledTcp;
  uint64_t scoped;
};

struct __attribute__((packed)) PathBeneath {
  uint64_t allowed;
  int32_t folder;
};

struct TcpPort {
  uint64_t allowed;
  uint64_t port;
};

enum RuleType : int { kPathBeneath = 1, kTcpPort = 2 };

// What of files can be refused.
constexpr uint64_t kExecute = 1u << 0;
constexpr uint64_t kWriteFile = 1u << 1;
constexpr uint64_t kReadFile = 1u << 2;
constexpr uint64_t kReadFolder = 1u << 3;
constexpr uint64_t kRemoveFolder = 1u << 4;
constexpr uint64_t kRemoveFile = 1u << 5;
constexpr uint64_t kMakeFolder = 1u << 7;
constexpr uint64_t kMakeFile = 1u << 8;
constexpr uint64_t kMakeSocket = 1u << 9;
constexpr uint64_t kMakeFifo = 1u << 10;
constexpr uint64_t kMakeBlockDevice = 1u << 11;
constexpr uint64_t kMakeSymlink = 1u << 12;
constexpr uint64_t kRefer = 1u << 13;        // rename or link from one folder to another; from version 2
constexpr uint64_t kTruncate = 1u << 14;     // from version 3
constexpr uint64_t kDeviceIoctl = 1u << 15;  // from version 5

constexpr uint64_t kReading = kExecute | kReadFile | kReadFolder;
constexpr uint64_t kWriting = kReading | kWriteFile | kRemoveFolder | kRemoveFile | kMakeFolder | kMakeFile |
                              kMakeSocket | kMakeFifo | kMakeSymlink | kRefer | kTruncate | kDeviceIoctl;
// What can be allowed for something that is no folder.
constexpr uint64_t kOfOneFile = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;

constexpr uint64_t kBind = 1, kConnect = 2;

constexpr uint64_t kScopeAbstractSockets = 1, kScopeSignals = 2;

uint64_t FileAccesses(int abi) {
  const uint64_t first = (kMakeSymlink << 1) - 1;
  return first | (abi >= 2 ? kRefer : 0) | (abi >= 3 ? kTruncate : 0) | (abi >= 5 ? kDeviceIoctl : 0);
}

size_t AttributesSize(int abi) {
  if (abi >= kLandlockScope) return sizeof(RulesetAttributes);
  return abi >= kLandlockTcp ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

int AllowBeneath(int ruleset, const std::string& path, uint64_t allowed) {
  const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return errno;
  if (FileType(fd, "", AT_EMPTY_PATH) != S_IFDIR) allowed &= kOfOneFile;
  const PathBeneath rule{allowed, fd};
  const int errnum = syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0 ? 0 : errno;
  close(fd);
  return errnum;
}

void AllowPaths(int ruleset, const std::vector<std::string>& paths, uint64_t allowed,
                std::vector<Failure>* failures) {
  for (const std::string& path : paths) {
    if (const int errnum = AllowBeneath(ruleset, path, allowed))
      failures->push_back({"the file rule for " + path, errnum});
  }
}

void AllowPorts(int ruleset, const std::vector<uint16_t>& ports, uint64_t allowed,
                std::vector<Failure>* failures) {
  for (const uint16_t port : ports) {
    const TcpPort rule{allowed, port};
    if (syscall(kAddRule, ruleset, kTcpPort, &rule, 0) != 0)
      failures->push_back({"the TCP rule for port " + std::to_string(port), errno});
  }
}

}  // namespace

int LandlockAbi() {
  const long version = syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

LandlockDomain::~LandlockDomain() {
  if (fd_ >= 0) close(fd_);
}

std::vector<Failure> LandlockDomain::Prepare(const LandlockRules& rules, int abi) {
  std::vector<Failure> failures;
  if (abi < kLandlockMemory) {
    failures.push_back({"Landlock, Linux 5.13", errno == 0 ? ENOSYS : errno});
    return failures;
  }
  const bool scope = rules.scope && abi >= kLandlockScope;
  const bool tcp = rules.tcp && abi >= kLandlockTcp;
  const bool files = rules.files && abi >= kLandlockFiles;
  if (rules.scope && !scope)
    failures.push_back({"Landlock scope (signals, abstract sockets), Linux 6.12", EOPNOTSUPP});
  if (rules.tcp && !tcp) failures.push_back({"Landlock TCP rules, Linux 6.7", EOPNOTSUPP});
  if (rules.files && !files) failures.push_back({"Landlock file rules, Linux 6.2", EOPNOTSUPP});

  RulesetAttributes attributes{};
  if (scope) attributes.scoped = kScopeAbstractSockets | kScopeSignals;
  if (tcp) attributes.handledTcp = kBind | kConnect;
  if (files) attributes.handledFiles = FileAccesses(abi);
  // A set of rules must be about something, and only being in a domain is wanted here: one right that is
  // given back everywhere. kRefer is refused in every domain that does not allow it, and version 1 cannot
  // allow it.
  const bool guardsMemoryAlone = !scope && !tcp && !files;
  const uint64_t givenBack = kMakeBlockDevice | (abi >= 2 ? kRefer : 0);
  if (guardsMemoryAlone) attributes.handledFiles = givenBack;

  fd_ = static_cast<int>(syscall(kCreateRuleset, &attributes, AttributesSize(abi), 0));
  if (fd_ < 0) {
    failures.push_back({"Landlock", errno});
    return failures;
  }
  if (guardsMemoryAlone) AllowPaths(fd_, {"/"}, givenBack, &failures);
  if (files) {
    AllowPaths(fd_, rules.files->read, kReading & attributes.handledFiles, &failures);
    AllowPaths(fd_, rules.files->write, kWriting & attributes.handledFiles, &failures);
  }
  if (tcp) {
    AllowPorts(fd_, rules.tcp->connect, kConnect, &failures);
    AllowPorts(fd_, rules.tcp->bind, kBind, &failures);
  }
  return failures;
}

int LandlockDomain::Enter() const {
  // Needed by who is not root; a child of a server without it would otherwise gain rights that the domain
  // cannot see (prctl(2)).
  const long noNewPrivs = RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (noNewPrivs < 0) return static_cast<int>(-noNewPrivs);
  return static_cast<int>(-RawSyscall(kRestrictSelf, fd_, 0));
}

void LandlockDomain::CloseDescriptor() const { RawSyscall(SYS_close, fd_); }

int LandlockDomain::Try() const {
  return RunThrowaway([](const void* self) { return static_cast<const LandlockDomain*>(self)->Enter(); },
                      this);
}

}  // namespace truefork
