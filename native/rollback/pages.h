// What each page of this process is (pagemap(5)): whether it is there, and whether it is this process's
// alone.
#pragma once

#include <cstdint>

#include "rollback/outside.h"

namespace truefork::rollback {

class PageMap {
 public:
  explicit PageMap(int fd) : fd_(fd) {}

  // Calls each(address, entry) for every page of [start, end) that is present or swapped and not a file's or
  // shared. Read with PAGEMAP_SCAN where the kernel has it (6.7), which passes over what is not there.
  // False where it cannot be read.
  template <typename Each>
  bool ForEachPrivate(uintptr_t start, uintptr_t end, Each each);
  // The entry of one page.
  bool ReadOne(uintptr_t page, uint64_t& bits);
  // Whether pages of zeros can be told from others; known once something was read.
  bool CanScan() const { return canScan_; }

 private:
  static constexpr size_t kEntries = 1024;

  // The next ranges from `start` on; -1 on failure. Sets `next` to where to go on.
  long Scan(uintptr_t start, uintptr_t end, uintptr_t& next);
  long Read(uintptr_t start, uintptr_t end);

  int fd_;
  bool canScan_ = true;
  struct ScanRange {
    uint64_t start, end, categories;
  } ranges_[256];
  uint64_t entries_[kEntries];
};

// Of an entry.
struct PageEntry {
  uint64_t bits;
  bool isZero;  // the kernel's page of zeros: nothing was written yet. Known only where PAGEMAP_SCAN is
  bool isPresent() const { return bits >> 63 & 1; }
  bool isSwapped() const { return bits >> 62 & 1; }
  bool isFile() const { return bits >> 61 & 1; }  // or shared
  // Mapped by this process alone: written to since the fork, for before that it was shared with the parent.
  bool isExclusive() const { return bits >> 56 & 1; }
};

template <typename Each>
bool PageMap::ForEachPrivate(uintptr_t start, uintptr_t end, Each each) {
  while (start < end) {
    uintptr_t next = end;
    const long count = Scan(start, end, next);
    if (count < 0) return false;
    for (long i = 0; i < count; i++) {
      const bool isZero = ranges_[i].categories != 0;
      for (uintptr_t at = ranges_[i].start; at < ranges_[i].end; at += kEntries * kPage) {
        const uintptr_t upTo =
            ranges_[i].end - at < kEntries * kPage ? ranges_[i].end : at + kEntries * kPage;
        const long read = Read(at, upTo);
        if (read < 0) return false;
        for (long page = 0; page < read; page++) {
          const PageEntry entry{entries_[page], isZero};
          if ((entry.isPresent() || entry.isSwapped()) && !entry.isFile()) each(at + page * kPage, entry);
        }
      }
    }
    start = next;
  }
  return true;
}

}  // namespace truefork::rollback
