// Data in huge pages. fork(2) copies an entry for each small page of data, and one for a whole huge page. A
// child that writes to a huge page splits it, which costs as much as some ten page faults; most huge pages of
// a zygote's heap are only read by its children.
//
// This moves live memory of V8 and malloc: it is copied to a huge page elsewhere, which then takes the place
// of the original (mremap(2)). What another thread writes meanwhile would be lost, so GatherIntoHugePages()
// looks whether one ran. TRUEFORK_SPEED=-data-huge-pages leaves all data where it is.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "fork/mappings.h"
#include "speed/huge_pages.h"

namespace truefork::huge_pages {

namespace {

// A huge page's worth of addresses: the pieces of data in it, and whether it could all become one huge page.
struct Window {
  uintptr_t start;
  std::vector<std::pair<uintptr_t, uintptr_t>> pieces;
  bool holdsOther = false;  // something that is no data, or that must not be moved

  // What can be moved into a huge page of its own: the whole window where nothing but data is in it, or each
  // piece.
  std::vector<std::pair<uintptr_t, uintptr_t>> Parts() const {
    if (holdsOther || pieces.empty()) return pieces;
    return {{start, start + kHuge}};
  }
  bool IsOnePiece() const { return pieces.size() == 1 && pieces[0] == std::pair(start, start + kHuge); }
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
      const uintptr_t to = std::min(mapping.end, Down(from) + kHuge);
      if (windows.empty() || windows.back().start != Down(from)) windows.push_back({Down(from), {}});
      if (IsData(mapping))
        windows.back().pieces.emplace_back(from, to);
      else
        windows.back().holdsOther = true;
      from = to;
    }
  }
  return windows;
}

// Maps the gaps between the pieces. They were unmapped when the mappings were listed, and have to be unmapped
// still: false where something was mapped there since.
bool TakeGaps(const Window& window) {
  uintptr_t end = window.start;
  for (size_t i = 0; i <= window.pieces.size(); i++) {
    const bool isLast = i == window.pieces.size();
    const uintptr_t next = isLast ? window.start + kHuge : window.pieces[i].first;
    if (next > end && mmap(Pointer(end), next - end, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != Pointer(end))
      return false;
    if (!isLast) end = window.pieces[i].second;
  }
  return true;
}

// Data that does not fill a huge page is copied into one elsewhere, and its part of that one is moved in.
void MoveIntoHugePage(uintptr_t start, uintptr_t end, const Window& window) {
  const Room room(end - start, start, PROT_READ | PROT_WRITE);
  if (room.start == 0) return;
  for (const auto& [from, to] : window.pieces)
    if (from >= start && to <= end) memcpy(Pointer(room.start + (from - start)), Pointer(from), to - from);
  if (Collapse(Down(room.start), kHuge))
    mremap(Pointer(room.start), end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, Pointer(start));
}

}  // namespace

void GatherData(const Residency& residency) {
  for (const Window& window : WindowsOnData()) {
    for (const auto& [from, to] : window.Parts()) {
      if (residency.InUse(from, to) < kLeastInUse) continue;
      const bool isWhole = to - from == kHuge;
      if (window.IsOnePiece())
        Collapse(window.start, kHuge);
      else if (!isWhole || TakeGaps(window))
        MoveIntoHugePage(from, to, window);
    }
  }
}

}  // namespace truefork::huge_pages
