// A user of its own for each child: what the kernel holds for users (signals, files, the count of processes)
// then holds for connections.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace truefork {

class UidRange {
 public:
  // Both ends are in it; 0 is never.
  UidRange(uint32_t from, uint32_t to);

  // The next that no process has; nothing where all are in use.
  std::optional<uint32_t> Take();

  // A child with it has ended: what it left running is killed, and only when none is left may the uid be
  // taken again.
  void Release(uint32_t uid);

  // Kills every process with this user ID, by a process that becomes that user for the purpose, which needs
  // CAP_SETUID. Whether none is left, of those that have not been waited for as well.
  static bool KillAllOf(uint32_t uid);

 private:
  uint32_t next_;
  uint32_t to_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> busy_;  // released, but processes are left
};

// In a child: the user and the group of that number and no other, no capability in any set. 0, or an errno;
// then it must not serve. Raw: it may share its parent's memory. A parent-death signal has to be armed again
// after it.
int BecomeUser(uint32_t uid);

}  // namespace truefork
