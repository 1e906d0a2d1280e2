// The fork fuse: how many processes one script may have, and how deep. A mistake in a loop around fork() must
// end in an error, not in a machine that answers nobody.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace truefork {

struct FuseLimits {
  uint32_t descendants;
  uint32_t generations;
};

enum class Fuse { Holds, TooMany, TooDeep };

// Before a fork: takes one of the places that all processes of this script share.
Fuse TakePlace(const FuseLimits& limits);

// After it: the place is the child's, or, as there is none, free again.
void GivePlaceTo(pid_t child);
void GivePlaceBack();

// In the child.
void EnterNextGeneration();

}  // namespace truefork
