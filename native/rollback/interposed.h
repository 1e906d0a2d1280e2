// Calls of the C library that change what a rollback would otherwise have to look for. The zygote preloads
// the addon (ld.so(8)), so that Node's own calls, its libraries' and those of native add-ons come by here.
#pragma once

#include <cstdint>

namespace truefork::rollback {

// They lie in the memory that is rolled back: what counts is whether they differ from the mark.
struct Calls {
  uint64_t
      mappings;  // mmap, munmap, mremap, mprotect, madvise: anything that changes mappings or drops pages
  uint64_t processes;  // fork, vfork, clone, posix_spawn
  uint64_t locks;      // mlock, shmat, semop: attached to the process until it ends
  uint64_t security;   // unshare, setns, chroot, seccomp, Landlock
};

extern Calls calls;

// Whether they are counted: whether the addon was preloaded.
bool CountsCalls();

}  // namespace truefork::rollback
