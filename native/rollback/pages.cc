#include "rollback/pages.h"

#include <sys/ioctl.h>

#include "support/raw_syscall.h"

namespace truefork::rollback {

namespace {

// linux/fs.h, since 6.7: not in the headers that this is built with everywhere.
struct ScanArgument {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walkEnd;
  uint64_t vec;
  uint64_t vecLength;
  uint64_t maxPages;
  uint64_t categoryInverted;
  uint64_t categoryMask;
  uint64_t categoryAnyOf;
  uint64_t returnMask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr uint64_t kIsFile = 1 << 2;
constexpr uint64_t kIsPresent = 1 << 3;
constexpr uint64_t kIsSwapped = 1 << 4;
constexpr uint64_t kIsZero = 1 << 5;

}  // namespace

long PageMap::Scan(uintptr_t start, uintptr_t end, uintptr_t& next) {
  if (canScan_) {
    ScanArgument argument{};
    argument.size = sizeof argument;
    argument.start = start;
    argument.end = end;
    argument.vec = reinterpret_cast<uint64_t>(ranges_);
    argument.vecLength = sizeof ranges_ / sizeof ranges_[0];
    argument.categoryInverted = kIsFile;
    argument.categoryMask = kIsFile;
    argument.categoryAnyOf = kIsPresent | kIsSwapped;
    argument.returnMask = kIsZero;
    const long count = RawSyscall(SYS_ioctl, fd_, kPagemapScan, RawPointer(&argument));
    if (count >= 0) {
      next = argument.walkEnd > start ? argument.walkEnd : end;
      return count;
    }
    canScan_ = false;
  }
  ranges_[0] = {start, end, 0};
  next = end;
  return 1;
}

bool PageMap::ReadOne(uintptr_t page, uint64_t& bits) {
  return RawSyscall(SYS_pread64, fd_, RawPointer(&bits), sizeof bits, page / kPage * sizeof bits) ==
         sizeof bits;
}

long PageMap::Read(uintptr_t start, uintptr_t end) {
  const size_t wanted = (end - start) / kPage * sizeof entries_[0];
  const long size =
      RawSyscall(SYS_pread64, fd_, RawPointer(entries_), wanted, start / kPage * sizeof entries_[0]);
  return size == static_cast<long>(wanted) ? size / static_cast<long>(sizeof entries_[0]) : -1;
}

}  // namespace truefork::rollback
