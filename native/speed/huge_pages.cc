#include "speed/huge_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fork/threads.h"
#include "speed/switches.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace truefork {

namespace huge_pages {

bool Collapse(uintptr_t start, size_t size) { return madvise(Pointer(start), size, MADV_COLLAPSE) == 0; }

Residency::Residency() : pagemap_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}

Residency::~Residency() { close(pagemap_); }

size_t Residency::InUse(uintptr_t start, uintptr_t end) const {
  uint64_t entries[kHuge / kSmall];
  const size_t pages = (end - start) / kSmall;
  const size_t size = pages * sizeof entries[0];
  if (pread(pagemap_, entries, size, start / kSmall * sizeof entries[0]) != static_cast<ssize_t>(size))
    return 0;
  size_t mapped = 0;
  for (size_t page = 0; page < pages; page++) mapped += entries[page] >> 63;
  return mapped;
}

Room::Room(size_t size, uintptr_t like, int protection) : size_(size + 2 * kHuge) {
  void* got = mmap(nullptr, size_, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return;
  whole_ = reinterpret_cast<uintptr_t>(got);
  start = Up(whole_) + like % kHuge;
}

Room::~Room() {
  if (whole_ != 0) munmap(Pointer(whole_), size_);
}

}  // namespace huge_pages

bool GatherIntoHugePages() {
#ifdef __SANITIZE_ADDRESS__
  return true;  // what lies between variables must not be read there, not even to be moved with them
#endif
  if (sysconf(_SC_PAGESIZE) != huge_pages::kSmall) return true;
  const huge_pages::Residency residency;
  if (speed::IsOn(speed::Measure::TextHugePages)) huge_pages::GatherText(residency);
  if (!speed::IsOn(speed::Measure::DataHugePages)) return true;
#ifndef __GLIBC__
  return true;  // musl's malloc() maps and unmaps even for little, so what was listed is not what is there
#endif
  const std::string before = ThreadActivity();
  huge_pages::GatherData(residency);
  return ThreadActivity() == before;
}

}  // namespace truefork
