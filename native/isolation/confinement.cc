#include "isolation/confinement.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "isolation/throwaway.h"
#include "isolation/uid_range.h"
#include "support/raw_syscall.h"

namespace truefork {

namespace {

// The kernel's own struct sigaction, of which the first word is the handler (sigaction(2), "C library/kernel
// differences").
constexpr unsigned long kIgnoring[8] = {1};  // SIG_IGN
constexpr size_t kKernelSetSize = 8;

int Limit(int resource, uint64_t value) {
  const uint64_t both[2] = {value, value};
  return static_cast<int>(-RawSyscall(SYS_prlimit64, 0, resource, RawPointer(both), 0));
}

int TryFilter(const void* filter) {
  RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return EnterFilter(*static_cast<const std::vector<sock_filter>*>(filter));
}

}  // namespace

std::vector<Failure> Confinement::Prepare(const ConfinementRules& rules) {
  std::vector<Failure> failures;
  wantsNoNewPrivs_ = rules.scope != ConfinementRules::Scope::Off || rules.sandbox;
  if (rules.scope != ConfinementRules::Scope::Off || rules.sandbox) PrepareLandlock(rules, &failures);
  if (rules.sandbox) PrepareSandbox(*rules.sandbox, &failures);
  return failures;
}

void Confinement::PrepareLandlock(const ConfinementRules& rules, std::vector<Failure>* failures) {
  const int abi = LandlockAbi();
  const int abiErrnum = abi == 0 ? errno : 0;
  LandlockRules wanted;
  wanted.scope = true;
  if (rules.sandbox) {
    wanted.files = rules.sandbox->files;
    wanted.tcp = rules.sandbox->ports;
  }
  errno = abiErrnum;
  std::vector<Failure> missing = domain_.Prepare(wanted, abi);
  const int errnum = domain_.ok() ? domain_.Try() : 0;
  if (errnum != 0) missing.push_back({"Landlock", errnum});
  if (errnum == E2BIG) holds_ |= kDomainsTooDeep;
  if (rules.sandbox || rules.scope == ConfinementRules::Scope::Required)
    failures->insert(failures->end(), missing.begin(), missing.end());
  if (!domain_.ok() || errnum != 0) return;
  holds_ |= kGuardsMemory;
  if (abi >= kLandlockScope) holds_ |= kGuardsSignals;
  if (wanted.files && abi >= kLandlockFiles) holds_ |= kGuardsFiles;
  if (wanted.tcp && abi >= kLandlockTcp) holds_ |= kGuardsTcp;
}

void Confinement::PrepareSandbox(const ConfinementRules::Sandbox& sandbox, std::vector<Failure>* failures) {
  filter_ = BuildSandboxFilter(sandbox.network ? &*sandbox.network : nullptr);
  const int errnum = filter_.empty() ? ENOSYS : RunThrowaway(TryFilter, &filter_);
  if (errnum == 0) {
    holds_ |= kFiltersCalls | (sandbox.network ? kGuardsNetwork : 0u);
  } else {
    failures->push_back({"the filter of system calls (seccomp)", errnum});
  }
  if (sandbox.maxFileSize) {
    maxFileSize_ = *sandbox.maxFileSize;
    holds_ |= kLimitsFileSize;
  }
  if (sandbox.ownUser) holds_ |= kOwnUser;
  if (!sandbox.maxProcesses) return;
  if (sandbox.ownUser) {
    maxProcesses_ = *sandbox.maxProcesses;
    holds_ |= kLimitsProcesses;
  } else {
    failures->push_back(
        {"a limit on processes, which the kernel counts by user, without a user for each child", EINVAL});
  }
}

int Confinement::EnterOnce() const {
  if (wantsNoNewPrivs_ && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return Has(kFiltersCalls) ? EnterFilter(filter_) : 0;
}

Confinement::Entered Confinement::Enter(uint32_t uid) const {
  if (Has(kLimitsFileSize)) {
    // Ignored, so that a write beyond the limit fails with EFBIG, and does not end the process.
    RawSyscall(SYS_rt_sigaction, SIGXFSZ, RawPointer(kIgnoring), 0, kKernelSetSize);
    if (const int errnum = Limit(RLIMIT_FSIZE, maxFileSize_)) return {"RLIMIT_FSIZE", errnum};
  }
  // Before the user changes, which the kernel then holds against the limit at the next fork.
  if (Has(kLimitsProcesses)) {
    if (const int errnum = Limit(RLIMIT_NPROC, maxProcesses_)) return {"RLIMIT_NPROC", errnum};
  }
  if (Has(kOwnUser)) {
    if (const int errnum = BecomeUser(uid)) return {"the user of its own", errnum};
  }
  if (Has(kGuardsMemory)) {
    if (const int errnum = domain_.Enter()) return {"Landlock", errnum};
    domain_.CloseDescriptor();
  }
  return {nullptr, 0};
}

}  // namespace truefork
