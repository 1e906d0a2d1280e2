// All that a child of a server is confined by: prepared once, and entered by each child.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isolation/failure.h"
#include "isolation/landlock.h"
#include "isolation/seccomp.h"

namespace truefork {

// The parts, as bits: which of them hold.
enum Protection : uint32_t {
  kGuardsMemory = 1,
  kGuardsSignals = 2,  // and abstract Unix sockets
  kGuardsFiles = 4,
  kGuardsTcp = 8,
  kFiltersCalls = 16,
  kGuardsNetwork = 32,
  kLimitsFileSize = 64,
  kLimitsProcesses = 128,
  kOwnUser = 256,
  kDomainsTooDeep = 512,  // not a protection: why there is no Landlock
};

struct ConfinementRules {
  // Wanted: what this kernel has of Landlock's scope. Required: all of it, or a failure.
  enum class Scope { Off, Wanted, Required };
  Scope scope = Scope::Off;

  // For untrusted code. All of it is required.
  struct Sandbox {
    LandlockRules::Files files;
    std::optional<NetworkRules> network;      // none: as it is
    std::optional<LandlockRules::Tcp> ports;  // with network
    std::optional<uint64_t> maxFileSize;
    std::optional<uint32_t> maxProcesses;  // needs ownUser, for the kernel counts them by user
    bool ownUser = false;                  // each child gets one by Enter()
  };
  std::optional<Sandbox> sandbox;
};

class Confinement {
 public:
  // Returns what was required and does not hold here; the rest is entered all the same. Tries it with a
  // process that ends at once. To be called before the first child, and before rights are given up that
  // opening the paths needs.
  std::vector<Failure> Prepare(const ConfinementRules& rules);

  // Of Protection, or'ed.
  uint32_t holds() const { return holds_; }
  bool Any() const { return (holds_ & ~kDomainsTooDeep) != 0; }
  bool NeedsUser() const { return (holds_ & kOwnUser) != 0; }

  // In the zygote, right before its first fork: what all children inherit, no_new_privs and the filter of
  // system calls. To load a filter costs more than a fork. 0, or an errno.
  int EnterOnce() const;

  // In the child, before it starts threads, and for good. `uid` is its own user, where it needs one. Raw
  // system calls only, so it may run in a child that shares its parent's memory. Where a part fails, the
  // child must not go on.
  struct Entered {
    const char* part;  // null: all holds
    int errnum;
  };
  Entered Enter(uint32_t uid) const;

 private:
  void PrepareLandlock(const ConfinementRules& rules, std::vector<Failure>* failures);
  void PrepareSandbox(const ConfinementRules::Sandbox& sandbox, std::vector<Failure>* failures);
  bool Has(Protection part) const { return (holds_ & part) != 0; }

  LandlockDomain domain_;
  std::vector<sock_filter> filter_;
  uint64_t maxFileSize_ = 0;
  uint32_t maxProcesses_ = 0;
  uint32_t holds_ = 0;
  bool wantsNoNewPrivs_ = false;
};

}  // namespace truefork
