#include "rollback/template.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <new>

#include "rollback/pages.h"
#include "support/raw_syscall.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef MFD_ALLOW_SEALING
#define MFD_CLOEXEC 1
#define MFD_ALLOW_SEALING 2
#endif

namespace truefork::rollback {

namespace {

// A file's pages that are not written to yet are kept too, for a worker may be the first to do so. More than
// any data segment has.
constexpr uintptr_t kMostOfAFile = 16 * 1024 * 1024;

// What only the making needs.
struct Making {
  MapsText text;
  Areas areas;
  PageMap pages{-1};
  Runs found;  // their sources are offsets yet
};

struct Closing {
  int fd;
  ~Closing() { close(fd); }
};

bool FindPages(Making& making, size_t& count) {
  const auto add = [&](uintptr_t page, bool isFile) {
    AddPage(making.found, page, reinterpret_cast<const uint8_t*>(count++ * kPage), isFile);
  };
  for (const Area& area : making.areas) {
    if (area.isShared || area.isKernels || (area.protection & PROT_READ) == 0) continue;
    if (area.inode != 0 && (area.protection & PROT_WRITE) != 0) {
      if (area.end - area.start > kMostOfAFile) return false;
      for (uintptr_t page = area.start; page < area.end; page += kPage) add(page, true);
      continue;
    }
    const bool isRead =
        making.pages.ForEachPrivate(area.start, area.end, [&](uintptr_t page, PageEntry entry) {
          if (!entry.isZero) add(page, area.inode != 0);
        });
    if (!isRead) return false;
  }
  return !making.found.isFull();
}

}  // namespace

bool Template::Make() {
  const Closing maps{open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
  const Closing pagemap{open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)};
  Region room;
  if (maps.fd < 0 || pagemap.fd < 0 || !room.Map(sizeof(Making)) || !index_.Map(sizeof(Runs))) return false;
  auto* making = new (room.data()) Making;
  making->pages = PageMap(pagemap.fd);
  runs_ = new (index_.data()) Runs;
  const Range excluded[] = {room.WithGuards(), index_.WithGuards()};
  size_t count = 0;
  bool isMade = ReadAreas(maps.fd, making->text, excluded, 2, making->areas) && FindPages(*making, count);
  const Closing memory{static_cast<int>(
      RawSyscall(SYS_memfd_create, RawPointer("truefork: template"), MFD_CLOEXEC | MFD_ALLOW_SEALING))};
  for (const Run& run : making->found) {
    if (!isMade) break;
    const ssize_t size = run.pages * kPage;
    isMade = pwrite(memory.fd, reinterpret_cast<void*>(run.start), size,
                    reinterpret_cast<off_t>(run.source)) == size;
  }
  void* pages = MAP_FAILED;
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (isMade && fcntl(memory.fd, F_ADD_SEALS, kSeals) == 0)
    pages = mmap(nullptr, count * kPage, PROT_READ, MAP_PRIVATE, memory.fd, 0);
  if (pages != MAP_FAILED) {
    pages_ = {reinterpret_cast<uintptr_t>(pages), reinterpret_cast<uintptr_t>(pages) + count * kPage};
    for (const Run& run : making->found) {
      runs_->Add(run);
      runs_->back().source = static_cast<const uint8_t*>(pages) + reinterpret_cast<uintptr_t>(run.source);
    }
    index_.Protect(PROT_READ);
  }
  const Range whole = room.WithGuards();
  munmap(reinterpret_cast<void*>(whole.start), whole.end - whole.start);
  return IsMade();
}

size_t Template::Ranges(Range* into) const {
  into[0] = pages_;
  into[1] = index_.WithGuards();
  return 2;
}

}  // namespace truefork::rollback
