// Text in huge pages. A fork does not copy the page-table entries of a file's text: a child faults it in as
// it runs, and Node's text in use is some 15 MB. In huge pages those faults are a handful, and the CPU needs
// fewer TLB entries. Files on disk have no huge pages here (MADV_COLLAPSE of them needs
// CONFIG_READ_ONLY_THP_FOR_FS), but files in memory do. So the text is copied to a memfd, and mapped from
// there at the same addresses.
//
// Price: debuggers and perf find no file name for the copied text. TRUEFORK_SPEED=-text-huge-pages leaves it
// where it is.
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "fork/mappings.h"
#include "speed/huge_pages.h"

namespace truefork::huge_pages {

namespace {

std::vector<uintptr_t> TextInUse(const Residency& residency) {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, length > 0 ? length : 0);
  std::vector<uintptr_t> pages;
  for (const Mapping& mapping : Mappings()) {
    if (mapping.shared || mapping.protection != (PROT_READ | PROT_EXEC) || mapping.path != program) continue;
    for (uintptr_t start = Up(mapping.start); start + kHuge <= mapping.end; start += kHuge)
      if (residency.InUse(start, start + kHuge) >= kLeastInUse) pages.push_back(start);
  }
  return pages;
}

void MapFrom(int file, const std::vector<uintptr_t>& pages) {
  for (size_t page = 0; page < pages.size(); page++) {
    // One step for the code that runs there: the same bytes are at the same address before and after.
    if (mmap(Pointer(pages[page]), kHuge, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file,
             page * kHuge) == MAP_FAILED)
      return;
  }
}

}  // namespace

void GatherText(const Residency& residency) {
  const std::vector<uintptr_t> pages = TextInUse(residency);
  const size_t size = pages.size() * kHuge;
  if (size == 0) return;
  const int file = memfd_create("truefork: text", MFD_CLOEXEC);
  if (file < 0) return;
  const Room room(size, 0, PROT_NONE);
  if (room.start != 0 && ftruncate(file, size) == 0) {
    const auto copy = static_cast<char*>(
        mmap(Pointer(room.start), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0));
    if (copy != MAP_FAILED) {
      for (size_t page = 0; page < pages.size(); page++)
        memcpy(copy + page * kHuge, Pointer(pages[page]), kHuge);
      if (Collapse(room.start, size)) MapFrom(file, pages);
    }
  }
  close(file);
}

}  // namespace truefork::huge_pages
