// A process that does one thing and ends, on its parent's memory as with vfork(2): to find out what a system
// call would do to a process without doing it to this one.
#pragma once

namespace truefork {

// Runs `body`, which makes raw system calls only, in a process of its own, and returns what it returned;
// -EAGAIN and the like where there can be none. No SIGCHLD comes of it.
int RunThrowaway(int (*body)(const void*), const void* argument);

}  // namespace truefork
