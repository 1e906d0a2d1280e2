#include "isolation/process_group.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "support/raw_syscall.h"

namespace truefork {

void LeadProcessGroup() { RawSyscall(SYS_setpgid, 0, 0); }

void MakeProcessGroup(pid_t child) { setpgid(child, child); }

int SignalProcessGroup(pid_t child, int signo) {
  if (kill(-child, signo) == 0) return 0;
  // A child that left its group: it may not lead one any more, but is the parent's to signal.
  return errno == ESRCH && kill(child, signo) == 0 ? 0 : errno;
}

}  // namespace truefork
