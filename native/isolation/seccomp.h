// System calls that a child of untrusted code is refused (seccomp(2)). The filter is a list of comparisons on
// the number and the first words of the arguments: nothing behind a pointer can be looked at.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace truefork {

// What of the network a child may make for itself, beyond the connection that it was given. Which ports is
// Landlock's to say (isolation/landlock.h).
struct NetworkRules {
  bool tcpConnect = false;
  bool tcpListen = false;
  bool udp = false;          // DNS among it, to whatever address
  bool unixSockets = false;  // to connect, not to listen; abstract names only where the scope allows them
};

// The calls that reach other processes, the kernel or the machine are refused with EPERM, clone3(2) with
// ENOSYS so that the C library falls back to clone(2), whose flags can be seen. With `network`, what it does
// not allow is refused with EACCES. A call by another architecture's numbers kills the process. Empty where
// this architecture is not known.
std::vector<sock_filter> BuildSandboxFilter(const NetworkRules* network);

// For this thread and all that come from it, for good; no_new_privs has to be set. 0, or an errno. A raw
// system call: it may be made in a child that shares its parent's memory.
int EnterFilter(const std::vector<sock_filter>& filter);

}  // namespace truefork
