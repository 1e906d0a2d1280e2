// Capabilities (capabilities(7)) of this thread, and of the children that come from it.
#pragma once

#include <cstdint>

namespace truefork {

// None in any set. 0, or an errno. Raw: it may run in a child that shares its parent's memory.
int DropCapabilities();

bool HasNoCapabilities();

// What a process needs that gives each child a user of its own, and signals it: CAP_SETUID, CAP_SETGID, CAP_KILL.
// Becomes this user and group and keeps those three alone, out of reach of any program that is executed: the
// bounding and ambient sets are emptied. 0, or an errno.
int BecomeUserWhoStartsOthers(uint32_t user, uint32_t group);

}  // namespace truefork
