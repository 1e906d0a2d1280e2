#include "speed/huge_pages.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "fork/mappings.h"
#include "fork/threads.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace truefork {

namespace {

constexpr uintptr_t kSmall = 4096;
constexpr uintptr_t kLarge = 2 * 1024 * 1024;

// A large page is worth it where so many of its small ones are in use.
constexpr size_t kLeastInUse = kLarge / kSmall / 4;

uintptr_t Down(uintptr_t address) { return address / kLarge * kLarge; }
uintptr_t Up(uintptr_t address) { return Down(address + kLarge - 1); }
void* Pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

// As few calls as can be: each waits for all CPUs to have told what pages they hold back.
bool Collapse(uintptr_t start, size_t size) { return madvise(Pointer(start), size, MADV_COLLAPSE) == 0; }

class Residency {
 public:
  Residency() : pagemap_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  ~Residency() { close(pagemap_); }
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;

  // How many small pages of a range, of one large page's size at most, are mapped (proc(5): bit 63 of each).
  size_t InUse(uintptr_t start, uintptr_t end) const {
    uint64_t entries[kLarge / kSmall];
    const size_t size = (end - start) / kSmall * sizeof entries[0];
    if (pread(pagemap_, entries, size, start / kSmall * sizeof entries[0]) != static_cast<ssize_t>(size))
      return 0;
    size_t mapped = 0;
    for (size_t page = 0; page < (end - start) / kSmall; page++) mapped += entries[page] >> 63;
    return mapped;
  }

 private:
  int pagemap_;
};

// Address space for `size` bytes that begins as far from a large page's border as `like` does.
class Room {
 public:
  Room(size_t size, uintptr_t like, int protection) : size_(size + 2 * kLarge) {
    void* got = mmap(nullptr, size_, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return;
    whole_ = reinterpret_cast<uintptr_t>(got);
    start = Up(whole_) + like % kLarge;
  }
  ~Room() {
    if (whole_ != 0) munmap(Pointer(whole_), size_);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  uintptr_t start = 0;

 private:
  uintptr_t whole_ = 0;
  size_t size_;
};

std::vector<uintptr_t> TextInUse(const Residency& residency) {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, length > 0 ? length : 0);
  std::vector<uintptr_t> pages;
  for (const Mapping& mapping : Mappings()) {
    if (mapping.shared || mapping.protection != (PROT_READ | PROT_EXEC) || mapping.path != program) continue;
    for (uintptr_t start = Up(mapping.start); start + kLarge <= mapping.end; start += kLarge)
      if (residency.InUse(start, start + kLarge) >= kLeastInUse) pages.push_back(start);
  }
  return pages;
}

// Files on disk have no large pages, but files in memory do: the text is copied to one, and mapped from
// there.
void GatherText(const std::vector<uintptr_t>& pages) {
  const size_t size = pages.size() * kLarge;
  const int file = memfd_create("truefork: text", MFD_CLOEXEC);
  const Room room(size, 0, PROT_NONE);
  if (size == 0 || file < 0 || room.start == 0 || ftruncate(file, size) != 0) return;
  const auto copy = static_cast<char*>(
      mmap(Pointer(room.start), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0));
  if (copy != MAP_FAILED) {
    for (size_t page = 0; page < pages.size(); page++)
      memcpy(copy + page * kLarge, Pointer(pages[page]), kLarge);
    // One step each for whoever runs in it: the same bytes are at the same address before and after.
    if (Collapse(room.start, size)) {
      for (size_t page = 0; page < pages.size(); page++)
        if (mmap(Pointer(pages[page]), kLarge, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file,
                 page * kLarge) == MAP_FAILED)
          break;
    }
  }
  close(file);
}

// What is in use of a large page's worth of addresses, and whether it could all be one page.
struct Window {
  uintptr_t start;
  std::vector<std::pair<uintptr_t, uintptr_t>> pieces;  // of data
  bool isShared = false;                                // with what is no data, or not to be moved

  // The pieces that can move into a large page each; one alone where nothing but data is in the way.
  std::vector<std::pair<uintptr_t, uintptr_t>> Parts() const {
    if (isShared || pieces.empty()) return pieces;
    return {{start, start + kLarge}};
  }
  bool IsOnePiece() const { return pieces.size() == 1 && pieces[0] == std::pair(start, start + kLarge); }
};

bool IsData(const Mapping& mapping) {
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const bool isOurStack = here >= mapping.start && here < mapping.end;
  return !mapping.shared && mapping.inode == 0 && mapping.protection == (PROT_READ | PROT_WRITE) &&
         !isOurStack;
}

std::vector<Window> WindowsOnData() {
  std::vector<Window> windows;
  for (const Mapping& mapping : Mappings()) {
    for (uintptr_t from = mapping.start; from < mapping.end;) {
      const uintptr_t to = std::min(mapping.end, Down(from) + kLarge);
      if (windows.empty() || windows.back().start != Down(from)) windows.push_back({Down(from), {}});
      if (IsData(mapping))
        windows.back().pieces.emplace_back(from, to);
      else
        windows.back().isShared = true;
      from = to;
    }
  }
  return windows;
}

// What lies between the pieces is nobody's when it is looked at, and must be when data is moved there: it is
// taken first. False where somebody was faster.
bool TakeGaps(const Window& window) {
  uintptr_t end = window.start;
  for (size_t i = 0; i <= window.pieces.size(); i++) {
    const bool isLast = i == window.pieces.size();
    const uintptr_t next = isLast ? window.start + kLarge : window.pieces[i].first;
    if (next > end && mmap(Pointer(end), next - end, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != Pointer(end))
      return false;
    if (!isLast) end = window.pieces[i].second;
  }
  return true;
}

// Data that does not fill a large page becomes part of one that is made elsewhere, and moves in.
void MoveIntoLargePage(uintptr_t start, uintptr_t end, const Window& window) {
  const Room room(end - start, start, PROT_READ | PROT_WRITE);
  if (room.start == 0) return;
  for (const auto& [from, to] : window.pieces)
    if (from >= start && to <= end) memcpy(Pointer(room.start + (from - start)), Pointer(from), to - from);
  if (Collapse(Down(room.start), kLarge))
    mremap(Pointer(room.start), end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, Pointer(start));
}

void GatherData(const Residency& residency) {
  for (const Window& window : WindowsOnData()) {
    for (const auto& [from, to] : window.Parts()) {
      if (residency.InUse(from, to) < kLeastInUse) continue;
      const bool isWhole = to - from == kLarge;
      if (window.IsOnePiece())
        Collapse(window.start, kLarge);
      else if (!isWhole || TakeGaps(window))
        MoveIntoLargePage(from, to, window);
    }
  }
}

}  // namespace

bool GatherIntoHugePages() {
#ifdef __SANITIZE_ADDRESS__
  return true;  // what lies between variables must not be read there, not even to be moved with them
#endif
  const char* wanted = getenv("TRUEFORK_HUGE_PAGES");
  if (wanted != nullptr && strcmp(wanted, "0") == 0) return true;
  if (sysconf(_SC_PAGESIZE) != kSmall) return true;
  const Residency residency;
  GatherText(TextInUse(residency));
#ifndef __GLIBC__
  return true;  // musl's malloc() maps and unmaps even for little, so what was listed is not what is there
#endif
  const std::string before = ThreadActivity();
  GatherData(residency);
  return ThreadActivity() == before;
}

}  // namespace truefork
