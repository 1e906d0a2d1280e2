#include "rollback/maps.h"

#include <sys/mman.h>

#include "support/raw_syscall.h"

namespace truefork::rollback {

namespace {

class Line {
 public:
  Line(const char* at, const char* end) : at_(at), end_(end) {}

  uint64_t Hex() { return Number(16); }
  uint64_t Decimal() { return Number(10); }
  void Skip(size_t count = 1) { at_ += count; }
  char Take() { return at_ < end_ ? *at_++ : '\0'; }
  void SkipSpaces() {
    while (at_ < end_ && *at_ == ' ') at_++;
  }
  bool StartsWith(const char* text) const {
    const char* at = at_;
    while (*text != '\0' && at < end_ && *at == *text) at++, text++;
    return *text == '\0';
  }

 private:
  uint64_t Number(unsigned radix) {
    uint64_t value = 0;
    for (; at_ < end_; at_++) {
      const char c = *at_;
      const unsigned digit = c >= 'a' ? c - 'a' + 10u : c - '0' + 0u;
      if (digit >= radix) break;
      value = value * radix + digit;
    }
    return value;
  }

  const char* at_;
  const char* end_;
};

// "start-end perms offset major:minor inode   path"
Area Parse(Line line) {
  Area area{};
  area.start = line.Hex();
  line.Skip();
  area.end = line.Hex();
  line.Skip();
  if (line.Take() == 'r') area.protection |= PROT_READ;
  if (line.Take() == 'w') area.protection |= PROT_WRITE;
  if (line.Take() == 'x') area.protection |= PROT_EXEC;
  area.isShared = line.Take() == 's';
  line.Skip();
  const uint64_t offset = line.Hex();
  line.Skip();
  area.device = line.Hex() << 32;
  line.Skip();
  area.device |= line.Hex();
  line.Skip();
  area.inode = line.Decimal();
  area.base = area.start - offset;
  line.SkipSpaces();
  area.isHeap = line.StartsWith("[heap]");
  area.isStack = line.StartsWith("[stack]");
  area.isRing = line.StartsWith("anon_inode:[io_uring]");
  area.isKernels = line.StartsWith("[v");
  return area;
}

// Adds what of an area is not excluded.
void AddRest(Area area, const Range* excluded, size_t count, Areas& areas) {
  for (size_t i = 0; i < count; i++) {
    const Range& hole = excluded[i];
    if (hole.end <= area.start || hole.start >= area.end) continue;
    if (hole.start > area.start) {
      Area before = area;
      before.end = hole.start;
      AddRest(before, excluded, count, areas);
    }
    if (hole.end >= area.end) return;
    area.start = hole.end;
    return AddRest(area, excluded, count, areas);
  }
  areas.Add(area);
}

}  // namespace

bool ReadAreas(int fd, MapsText& room, const Range* excluded, size_t excludedCount, Areas& areas) {
  areas.Clear();
  if (RawSyscall(SYS_lseek, fd, 0, 0) != 0) return false;
  size_t kept = 0;  // of a line whose end is yet to be read
  for (;;) {
    const long size = RawSyscall(SYS_read, fd, RawPointer(room.bytes + kept), sizeof room.bytes - kept);
    if (size < 0) return false;
    if (size == 0) return kept == 0 && !areas.isFull();
    const char* at = room.bytes;
    const char* const end = room.bytes + kept + size;
    for (const char* newline = at; newline < end; newline++) {
      if (*newline != '\n') continue;
      AddRest(Parse({at, newline}), excluded, excludedCount, areas);
      at = newline + 1;
    }
    kept = end - at;
    if (kept == sizeof room.bytes) return false;
    for (size_t i = 0; i < kept; i++) room.bytes[i] = at[i];
  }
}

}  // namespace truefork::rollback
