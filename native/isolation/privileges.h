// Giving up what root may do, so that nothing which runs here later can take it back.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "isolation/failure.h"

namespace truefork {

struct Privileges {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::vector<gid_t> groups;  // the supplementary ones, with `group`
  std::string root;           // chroot(2); empty: as it is
  std::string folder;  // chdir(2), in the new root and as the new user; empty: as it is, or the new root
  std::optional<mode_t> umask;
  bool noNewPrivs = false;  // PR_SET_NO_NEW_PRIVS (prctl(2)): no program that is executed gains any
  bool startsUsers =
      false;  // with `user`: keeps what gives children users of their own (isolation/uid_range.h)
};

// For every thread of the process. A parent-death signal that is armed (isolation/parent_death.h) stays so.
// What could not be given up, or shows that it was not when it is looked at afterwards, is a failure, after
// which the process must not serve: some of it may have happened.
std::optional<Failure> DropPrivileges(const Privileges& privileges);

}  // namespace truefork
