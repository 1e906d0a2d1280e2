// Capabilities (capabilities(7)) of this thread, and of the children that come from it.
#pragma once

#include <cstdint>

namespace truefork {

// None in any set. 0, or an errno. Raw: it may run in a child that shares its parent's memory.
int DropCapabilities();

bool HasNoCapabilities();

// For a process that gives each child a user of its own, and signals it: CAP_SETUID, CAP_SETGID and CAP_KILL.
// Before it changes its own user, and after. No program that it executes gets any: the bounding and ambient
// sets are emptied. 0, or an errno.
int PrepareToKeepCapabilities();
int KeepCapabilitiesToStartUsers();

}  // namespace truefork
