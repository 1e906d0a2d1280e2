// Landlock (landlock(7)): a process gives up, for itself and all its descendants, what it does not need.
// Being in a domain is what guards memory: a process in one can neither trace nor read any process outside
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isolation/failure.h"

namespace truefork {

// The first version of the kernel's interface with each part. Between 1 and 6 a domain guards memory alone.
constexpr int kLandlockMemory = 1;  // Linux 5.13
constexpr int kLandlockFiles = 3;   // 6.2: before it, truncate(2) was not held
constexpr int kLandlockTcp = 4;     // 6.7
constexpr int kLandlockScope = 6;   // 6.12

// The version of this kernel; 0 where there is none, and errno says why: ENOSYS, not built; EOPNOTSUPP, not
// among the enabled security modules (lsm= at boot); EPERM, a container's seccomp filter.
int LandlockAbi();

struct LandlockRules {
  // No signal to a process outside, no connection to an abstract Unix socket from outside.
  bool scope = false;

  // All that is beneath these paths; everything else is refused. Reading includes executing and listing;
  // writing includes reading, making and removing.
  struct Files {
    std::vector<std::string> read;
    std::vector<std::string> write;
  };
  std::optional<Files> files;

  // Ports that may be connected to and bound; all others are refused.
  struct Tcp {
    std::vector<uint16_t> connect;
    std::vector<uint16_t> bind;
  };
  std::optional<Tcp> tcp;
};

// One set of rules, made once, which each child enters for itself: each has a domain of its own.
class LandlockDomain {
 public:
  LandlockDomain() = default;
  ~LandlockDomain();
  LandlockDomain(const LandlockDomain&) = delete;
  LandlockDomain& operator=(const LandlockDomain&) = delete;

  // Makes the rules. Returns the parts that this kernel cannot enforce; the others hold for who enters. `abi`
  // is the version to assume, for tests of older kernels.
  std::vector<Failure> Prepare(const LandlockRules& rules, int abi = LandlockAbi());

  bool ok() const { return fd_ >= 0; }

  // For this thread, so before it starts others, and for good. 0, or an errno; E2BIG: there are 16 domains
  // around this one already. Raw system calls only, so it may run in a child that shares its parent's memory.
  int Enter() const;

  // In a child that has entered. Raw as well.
  void CloseDescriptor() const;

  // Lets a process that ends at once enter: 0, or the errno that each child would meet.
  int Try() const;

 private:
  int fd_ = -1;
};

}  // namespace truefork
