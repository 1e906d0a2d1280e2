// A control group of its own for each child (cgroups(7), version 2), where a service manager or an
// administrator has delegated one to this server: a limit on processes, and an end that nothing in it
// escapes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "isolation/failure.h"

namespace truefork {

// The folder in which this process may make groups, found from /proc/self/cgroup and the mounts; or why there
// is none. With `pids`, one whose groups can have a limit on processes. `proc` is /proc, or a copy of it in a
// test.
struct Delegation {
  std::optional<std::string> folder;
  std::optional<Failure> failure;
};
Delegation FindDelegatedCgroup(bool pids, const std::string& proc = "/proc");

class Cgroup {
 public:
  // Makes the folder. Empty from ok() where it cannot be made.
  explicit Cgroup(std::string folder);

  bool ok() const { return isMade_; }

  // 0, or an errno.
  int SetMaxProcesses(uint32_t most) const;
  int Add(pid_t pid) const;
  // Everything in it and below, at once (cgroup.kill, Linux 5.14).
  int Kill() const;
  // EBUSY as long as a process is in it.
  int Remove();

 private:
  int Write(const char* file, const std::string& text) const;

  std::string folder_;
  bool isMade_ = false;
};

}  // namespace truefork
