// Calls of the C library that change what a rollback would otherwise have to look for, counted where the
// addon stands in for them: rollback/interposed.cc, and speed/compact_heap.cc for mmap(2).
#pragma once

#include <cstdint>

namespace truefork {

// They lie in the memory that is rolled back: what counts is whether they differ from the mark.
struct LibcCalls {
  uint64_t mappings = 0;   // mmap, munmap, mremap, mprotect, madvise: what changes mappings or drops pages
  uint64_t processes = 0;  // fork, clone
  uint64_t locks = 0;      // mlock, shmat, semop: attached to the process until it ends
  uint64_t security = 0;   // unshare, setns, chroot, seccomp, Landlock
};

extern LibcCalls libcCalls;

// Whether they are counted: whether the zygote preloaded the addon (ld.so(8)). V8 has mapped its heap before
// any JavaScript runs.
inline bool CountsLibcCalls() { return libcCalls.mappings > 0; }

}  // namespace truefork
