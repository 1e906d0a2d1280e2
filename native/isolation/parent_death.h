// The parent-death pact: nobody serves on for an owner that is gone.
#pragma once

#include <sys/types.h>

namespace truefork {

// In a child, first thing: it is killed when its parent ends (prctl(2), PR_SET_PDEATHSIG), and ends at once
// if that came to pass between fork() and here. The kernel forgets the pact when credentials change: make it
// again then. It may be called where the parent runs on the same memory: it writes to none.
void DieWithParent(pid_t parent);

// In a zygote: when the peer of this socket is gone, the whole process group ends, whatever code is running
// (fcntl(2), O_ASYNC), and where it is stopped, too.
void DieWithPeer(int socket);

// Ends this process and, if it leads a process group, everything in it.
[[noreturn]] void EndProcessGroup();

// Ends that watch: who polls the socket sees the peer go by itself.
void StopDyingWithPeer();

}  // namespace truefork
