#include "trace/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace truefork::trace {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr uint32_t kX32Bit = 0x40000000;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;
#endif

constexpr uint32_t kTrace = SECCOMP_RET_TRACE;

sock_filter Load(uint32_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter Return(uint32_t what) { return BPF_STMT(BPF_RET | BPF_K, what); }
sock_filter SkipUnlessEqual(uint32_t value, uint8_t skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

}  // namespace

std::vector<sock_filter> BuildFilter(Filter filter) {
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      Return(kTrace | kForeignAbi),
      Load(offsetof(seccomp_data, nr)),
  };
#if defined(__x86_64__)
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
  program.push_back(Return(kTrace | kForeignAbi));
#endif
  for (const Call& call : Calls()) {
    if (call.filter > filter) continue;
    program.push_back(SkipUnlessEqual(static_cast<uint32_t>(call.number), 1));
    program.push_back(Return(kTrace | kInterest));
  }
  // A little-endian machine has the lower half of an argument first.
  program.push_back(SkipUnlessEqual(SYS_prctl, 3));
  program.push_back(Load(offsetof(seccomp_data, args)));
  program.push_back(SkipUnlessEqual(kLocationCall, 1));
  program.push_back(Return(kTrace | kLocationSaid));
  program.push_back(Return(SECCOMP_RET_ALLOW));
  return program;
}

int InstallFilter(const sock_filter* program, size_t length) {
  const sock_fprog filter = {static_cast<unsigned short>(length), const_cast<sock_filter*>(program)};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return 0;
  if (errno != EACCES) return errno;
  // Without privileges it is allowed only to who can gain none by a set-user-ID program.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 ? 0 : errno;
}

}  // namespace truefork::trace
