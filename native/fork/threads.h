#pragma once

#include <string>

namespace truefork {

// fork(2) copies the calling thread alone. A thread that holds a lock at that moment holds it for ever in the
// child. Waits a little for all other threads to be ones that Node itself starts, asleep for want of work;
// returns "" when they are, and otherwise names the first that is not.
std::string FindUnsafeThread(int nodeMajor);

// Differs between two moments if a thread other than the main one has run between them.
std::string ThreadActivity();

}  // namespace truefork
