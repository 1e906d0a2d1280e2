#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace truefork {

// Gathers the program's text and data into huge pages: 2 MiB of memory that one page-table entry maps. What
// cannot be gathered stays as it is. Needs Linux 6.1 (MADV_COLLAPSE, madvise(2)), and a process whose other
// threads are idle (fork/threads.h).
//
// False where another thread ran meanwhile, which may have lost what it wrote: then the process must not go
// on.
bool GatherIntoHugePages();

namespace huge_pages {

constexpr uintptr_t kSmall = 4096;
constexpr uintptr_t kHuge = 2 * 1024 * 1024;

// A huge page pays where so many of its small ones are in use.
constexpr size_t kLeastInUse = kHuge / kSmall / 4;

inline uintptr_t Down(uintptr_t address) { return address / kHuge * kHuge; }
inline uintptr_t Up(uintptr_t address) { return Down(address + kHuge - 1); }
inline void* Pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

// Makes huge pages of a range. Each call waits until every CPU has given back the pages that it caches, so as
// few calls as can be are made.
bool Collapse(uintptr_t start, size_t size);

// Which small pages of this process are mapped (proc_pid_pagemap(5)).
class Residency {
 public:
  Residency();
  ~Residency();
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;

  // How many small pages of a range are mapped; the range is of a huge page's size at most.
  size_t InUse(uintptr_t start, uintptr_t end) const;

 private:
  int pagemap_;
};

// Address space for `size` bytes, at the same distance from a huge page's border as `like`. Unmapped at the
// end.
class Room {
 public:
  Room(size_t size, uintptr_t like, int protection);
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  uintptr_t start = 0;  // 0: there is none

 private:
  uintptr_t whole_ = 0;
  size_t size_;
};

void GatherText(const Residency& residency);
void GatherData(const Residency& residency);

}  // namespace huge_pages

}  // namespace truefork
