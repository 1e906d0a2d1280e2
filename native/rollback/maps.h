// The mappings of this process, read without malloc (proc(5), /proc/pid/maps).
#pragma once

#include <cstdint>

#include "rollback/outside.h"

namespace truefork::rollback {

struct Area {
  uintptr_t start, end;
  int protection;
  bool isShared;
  bool isHeap;     // brk(2)'s
  bool isStack;    // the main thread's
  bool isKernels;  // [vvar], [vdso] and the like: the kernel's own, the same for every process
  bool isRing;     // io_uring(7)'s queues
  uint64_t device;
  uint64_t inode;  // 0: no file
  uint64_t base;   // where the file's first byte would be: two pieces of one mapping have the same

  bool IsSameMappingAs(const Area& other) const {
    return isShared == other.isShared && inode == other.inode && device == other.device &&
           (inode == 0 || base == other.base);
  }
};

constexpr size_t kMostAreas = 8192;
using Areas = Array<Area, kMostAreas>;

struct MapsText {
  char bytes[64 * 1024];
};

// Reads all that `fd`, /proc/self/maps, says, without the excluded ranges. False where it cannot be read, or
// is too much.
bool ReadAreas(int fd, MapsText& room, const Range* excluded, size_t excludedCount, Areas& areas);

}  // namespace truefork::rollback
