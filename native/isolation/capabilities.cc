#include "isolation/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "support/raw_syscall.h"

namespace truefork {

namespace {

int SetCapabilities(uint32_t effective, uint32_t permitted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{effective, permitted, 0}, {0, 0, 0}};
  return static_cast<int>(-RawSyscall(SYS_capset, RawPointer(&header), RawPointer(data)));
}

constexpr uint32_t kToStartUsers = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL;

}  // namespace

int DropCapabilities() { return SetCapabilities(0, 0); }

bool HasNoCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (RawSyscall(SYS_capget, RawPointer(&header), RawPointer(data)) != 0) return false;
  return std::all_of(std::begin(data), std::end(data), [](const auto& word) {
    return word.effective == 0 && word.permitted == 0 && word.inheritable == 0;
  });
}

int PrepareToKeepCapabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

int KeepCapabilitiesToStartUsers() { return SetCapabilities(kToStartUsers, kToStartUsers); }

}  // namespace truefork
