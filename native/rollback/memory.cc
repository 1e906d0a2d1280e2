#include "rollback/memory.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>

#include "support/raw_syscall.h"

// Where the C library keeps rseq(2)'s area, from the thread pointer on: since glibc 2.35.
extern "C" {
__attribute__((weak)) extern const ptrdiff_t rseq_offset __asm__("__rseq_offset");
__attribute__((weak)) extern const unsigned rseq_size __asm__("__rseq_size");
}

namespace truefork::rollback {

namespace {

constexpr size_t kOwnReserve = 256 * 1024 * 1024;
constexpr size_t kOwnStep = 64 * kPage;

// Of the kernel's, which may write to all of it: it has grown, and will.
constexpr size_t kRseqArea = 64;

void* Pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }
const uint8_t* Bytes(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }

bool IsPrivate(const Area& area) { return !area.isShared && !area.isKernels; }
bool IsWritable(const Area& area) { return (area.protection & PROT_WRITE) != 0; }

uint64_t FirstNumber(const char* text, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++) value = value * 10 + text[i] - '0';
  return value;
}

bool IsZero(const uint8_t* page) {
  const auto* words = reinterpret_cast<const uint64_t*>(page);
  for (size_t i = 0; i < kPage / sizeof *words; i++)
    if (words[i] != 0) return false;
  return true;
}

void Say(const char* what, uintptr_t start, uintptr_t end) {
  char text[160] = "truefork: rollback: ";
  size_t size = strlen(text);
  const auto add = [&](const char* more) {
    while (*more != '\0' && size < sizeof text - 1) text[size++] = *more++;
  };
  const auto addHex = [&](uintptr_t number) {
    for (int shift = 44; shift >= 0; shift -= 4) text[size++] = "0123456789abcdef"[number >> shift & 15];
  };
  add(what);
  add(" at ");
  addHex(start);
  add("-");
  addHex(end);
  add("\n");
  RawSyscall(SYS_write, 2, RawPointer(text), size);
}

}  // namespace

bool Memory::Prepare(const ProcFiles& files, const Range* excluded, size_t count, bool explains) {
  explains_ = explains;
  files_ = files;
  pageMap_ = PageMap(files.pagemap);
  std::copy_n(excluded, count, excluded_);
  const long reserved =
      RawSyscall(SYS_mmap, 0, kOwnReserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved < 0 && reserved > -4096) return false;
  own_ = reserved;
  excluded_[count] = {own_, own_ + kOwnReserve};
  excludedCount_ = count + 1;
  if (&rseq_offset != nullptr && &rseq_size != nullptr && rseq_size != 0) {
    thread_.start = reinterpret_cast<uintptr_t>(__builtin_thread_pointer()) + rseq_offset;
    thread_.end = thread_.start + std::max<size_t>(rseq_size, kRseqArea);
    if (PageOf(thread_.start) != PageOf(thread_.end - 1)) thread_.end = PageOf(thread_.end - 1);
  }
  return true;
}

bool Memory::Capture(const Template& pages) {
  if (!ReadAreasInto(marked_) || !CapturePages(pages)) return false;
  RawSyscall(SYS_mprotect, own_, ownRoom_, PROT_READ);
  calls_ = libcCalls;
  counts_ = Count();
  counts_ = Count();  // the first may itself have faulted
  return true;
}

bool Memory::CapturePages(const Template& pages) {
  bool fits = true;
  const Run* run = pages.runs().begin();
  const auto inTemplate = [&](uintptr_t page) -> const uint8_t* {
    while (run != pages.runs().end() && run->end() <= page) run++;
    return run == pages.runs().end() || page < run->start ? nullptr : run->source + (page - run->start);
  };
  const auto capture = [&](uintptr_t page, bool isFile) {
    const uint8_t* source = inTemplate(page);
    if (source == nullptr || memcmp(source, Pointer(page), kPage) != 0) source = Keep(page);
    fits = source != nullptr && AddPage(runs_, page, source, isFile) && fits;
  };
  for (const Area& area : marked_) {
    if (!IsPrivate(area)) continue;
    const bool isFile = area.inode != 0;
    const bool takesAll = isFile && IsWritable(area);
    for (uintptr_t page = area.start; takesAll && page < area.end; page += kPage) capture(page, true);
    const bool isRead = pageMap_.ForEachPrivate(area.start, area.end, [&](uintptr_t page, PageEntry entry) {
      if (entry.isZero) return;
      if ((area.protection & PROT_READ) == 0)
        fits = false;  // it holds what cannot be read
      else if (!takesAll)
        capture(page, isFile);
      const bool isOwn = entry.isExclusive() || entry.isSwapped();
      if (isOwn && IsWritable(area)) fits = Add(page, SourceOf(runs_, page), area.protection) && fits;
    });
    if (!isRead || !fits) return false;
  }
  return true;
}

const uint8_t* Memory::Keep(uintptr_t page) {
  const size_t used = ownPages_ * kPage;
  if (used == ownRoom_) {
    if (ownRoom_ == kOwnReserve ||
        RawSyscall(SYS_mprotect, own_ + ownRoom_, kOwnStep, PROT_READ | PROT_WRITE) != 0)
      return nullptr;
    ownRoom_ += kOwnStep;
  }
  ownPages_++;
  return static_cast<const uint8_t*>(memcpy(Pointer(own_ + used), Pointer(page), kPage));
}

Memory::Counts Memory::Count() const {
  rusage usage{};
  RawSyscall(SYS_getrusage, RUSAGE_SELF, RawPointer(&usage));
  char text[96] = {};
  const long size = RawSyscall(SYS_pread64, files_.statm, RawPointer(text), sizeof text, 0);
  return {static_cast<uint64_t>(usage.ru_minflt) + static_cast<uint64_t>(usage.ru_majflt),
          size > 0 ? FirstNumber(text, size) : 0, static_cast<uintptr_t>(RawSyscall(SYS_brk, 0))};
}

bool Memory::HaveMappingsChanged(const Counts& now) const {
  return !CountsLibcCalls() || libcCalls.mappings != calls_.mappings || now.size != counts_.size ||
         now.heapEnd != counts_.heapEnd;
}

Reason Memory::Restore() {
  if (libcCalls.processes != calls_.processes) return Reason::Children;
  if (libcCalls.locks != calls_.locks) return Reason::Mappings;
  if (libcCalls.security != calls_.security) return Reason::Security;
  const Counts now = Count();
  const bool mappingsChanged = HaveMappingsChanged(now);
  wasSlow_ = mappingsChanged || now.faults != counts_.faults;
  if (wasSlow_) {
    Reason reason = Reason::None;
    if (now.heapEnd != counts_.heapEnd &&
        RawSyscall(SYS_brk, counts_.heapEnd) != static_cast<long>(counts_.heapEnd)) {
      if (explains_) Say("the heap's end cannot be put back", counts_.heapEnd, now.heapEnd);
      return Reason::Mappings;
    }
    if (mappingsChanged) reason = RestoreMappings();
    if (reason == Reason::None) reason = FindChanges(mappingsChanged);
    if (reason != Reason::None) return reason;
  }
  RestorePages();
  counts_ = Count();
  return Reason::None;
}

// Walks both lists of mappings, each cut where the other has a border.
template <typename Each>
Reason Memory::ForEachPart(Each each) const {
  const Area* marked = marked_.begin();
  const Area* now = now_.begin();
  uintptr_t at = 0;
  for (;;) {
    while (marked != marked_.end() && marked->end <= at) marked++;
    while (now != now_.end() && now->end <= at) now++;
    constexpr uintptr_t kNone = ~uintptr_t{0};
    const uintptr_t markedStart = marked == marked_.end() ? kNone : std::max(marked->start, at);
    const uintptr_t nowStart = now == now_.end() ? kNone : std::max(now->start, at);
    const uintptr_t start = std::min(markedStart, nowStart);
    if (start == kNone) return Reason::None;
    const bool isMarked = markedStart == start;
    const bool isNow = nowStart == start;
    const uintptr_t markedEnd = isMarked ? marked->end : markedStart;
    const uintptr_t nowEnd = isNow ? now->end : nowStart;
    const Part part{start, std::min(markedEnd, nowEnd), isMarked ? marked : nullptr, isNow ? now : nullptr};
    const Reason reason = each(part);
    if (reason != Reason::None) return reason;
    at = part.end;
  }
}

Reason Memory::RestoreMappings() {
  if (!ReadAreasInto(now_)) return Reason::Mappings;
  return ForEachPart([this](const Part& part) {
    const Reason reason = RestorePart(part);
    if (reason != Reason::None && explains_) Say("a mapping cannot be put back", part.start, part.end);
    return reason;
  });
}

Reason Memory::RestorePart(const Part& part) {
  const auto [start, end, marked, now] = part;
  if (marked == nullptr) {
    // What was written to memory that others share was not this connection's alone.
    if (now->isKernels || (now->isShared && IsWritable(*now))) return Reason::Mappings;
    return RawSyscall(SYS_munmap, start, end - start) == 0 ? Reason::None : Reason::Mappings;
  }
  if (now == nullptr) {
    if (!IsPrivate(*marked) || marked->inode != 0 || marked->isStack) return Reason::Mappings;
    const long got = RawSyscall(SYS_mmap, start, end - start, marked->protection,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return got == static_cast<long>(start) ? Reason::None : Reason::Mappings;
  }
  if (!now->IsSameMappingAs(*marked)) return Reason::Mappings;
  if (now->protection == marked->protection) return Reason::None;
  return RawSyscall(SYS_mprotect, start, end - start, marked->protection) == 0 ? Reason::None
                                                                               : Reason::Mappings;
}

Reason Memory::FindChanges(bool mappingsChanged) {
  changed_.Clear();
  size_t seen = 0;
  for (const Area& area : marked_) {
    if (!IsPrivate(area)) continue;
    const bool isRead = pageMap_.ForEachPrivate(area.start, area.end, [&](uintptr_t page, PageEntry entry) {
      const bool isOwn = entry.isExclusive() || entry.isSwapped();
      const uint8_t* source = SourceOf(runs_, page);
      if (source != nullptr) seen++;
      // What could not be written to at the mark, and was not there, is not there again; of a file, it is the
      // file's.
      if (isOwn && source == nullptr && !IsWritable(area))
        RawSyscall(SYS_madvise, page, kPage, MADV_DONTNEED);
      else if (isOwn || (entry.isZero && source != nullptr))
        Add(page, source, area.protection);
    });
    if (!isRead) return Reason::Mappings;
  }
  size_t all = 0;
  for (const Run& run : runs_) all += run.pages;
  const bool canTellZeros = pageMap_.CanScan();
  if (seen != all || (mappingsChanged && !canTellZeros)) FindDropped(mappingsChanged && !canTellZeros);
  return changed_.isFull() ? Reason::Memory : Reason::None;
}

// Pages that were there, and are not: given back by madvise(2), or lost with their mapping.
void Memory::FindDropped(bool comparesAll) {
  for (const Run& run : runs_) {
    for (size_t i = 0; i < run.pages; i++) {
      const uintptr_t page = run.start + i * kPage;
      const uint8_t* source = run.source + i * kPage;
      PageEntry entry{0, false};
      if (!pageMap_.ReadOne(page, entry.bits)) continue;
      const bool isThere = (entry.isPresent() || entry.isSwapped()) && !entry.isFile();
      if (isThere && (entry.isExclusive() || entry.isSwapped())) continue;  // found already
      if (isThere && !comparesAll) continue;
      const bool isLost = !isThere && !run.isFile;
      if (isLost || !IsAsMarked(page, source)) Add(page, source, ProtectionAt(page));
    }
  }
}

int Memory::ProtectionAt(uintptr_t page) const {
  for (const Area& area : marked_)
    if (page >= area.start && page < area.end) return area.protection;
  return PROT_NONE;
}

void Memory::RestorePages() const {
  for (const Page& page : changed_) {
    if ((page.protection & PROT_WRITE) != 0) {
      Write(page.address, page.source);
    } else if (!IsAsMarked(page.address, page.source)) {
      RawSyscall(SYS_mprotect, page.address, kPage, PROT_READ | PROT_WRITE);
      Write(page.address, page.source);
      RawSyscall(SYS_mprotect, page.address, kPage, page.protection);
    }
#if defined(__aarch64__)
    if ((page.protection & PROT_EXEC) != 0)
      __builtin___clear_cache(static_cast<char*>(Pointer(page.address)),
                              static_cast<char*>(Pointer(page.address + kPage)));
#endif
  }
}

void Memory::Write(uintptr_t page, const uint8_t* source) const {
  if (PageOf(thread_.start) == page) {
    const size_t before = thread_.start - page;
    const size_t after = thread_.end - page;
    memcpy(Pointer(page), source, before);
    memcpy(Pointer(thread_.end), source + after, kPage - after);
  } else if (source != nullptr) {
    memcpy(Pointer(page), source, kPage);
  } else {
    memset(Pointer(page), 0, kPage);
  }
}

bool Memory::IsAsMarked(uintptr_t page, const uint8_t* source) const {
  if (source == nullptr) return IsZero(Bytes(page));
  if (PageOf(thread_.start) != page) return memcmp(Pointer(page), source, kPage) == 0;
  const size_t after = thread_.end - page;
  return memcmp(Pointer(page), source, thread_.start - page) == 0 &&
         memcmp(Pointer(thread_.end), source + after, kPage - after) == 0;
}

bool Memory::Verify() {
  if (!ReadAreasInto(now_)) return false;
  bool isSame = true;
  const auto differ = [&](const char* what, uintptr_t start, uintptr_t end) {
    Say(what, start, end);
    isSame = false;
  };
  ForEachPart([&](const Part& part) {
    if (part.marked == nullptr)
      differ("a mapping is new", part.start, part.end);
    else if (part.now == nullptr)
      differ("a mapping is lost", part.start, part.end);
    else if (!part.now->IsSameMappingAs(*part.marked) || part.now->protection != part.marked->protection)
      differ("a mapping has changed", part.start, part.end);
    return Reason::None;
  });
  if (!isSame) return false;
  for (const Run& run : runs_)
    for (size_t i = 0; i < run.pages; i++)
      if (!IsAsMarked(run.start + i * kPage, run.source + i * kPage))
        differ("a page differs", run.start + i * kPage, run.start + (i + 1) * kPage);
  for (const Area& area : marked_) {
    if (!IsPrivate(area) || (area.protection & PROT_READ) == 0 || area.inode != 0) continue;
    pageMap_.ForEachPrivate(area.start, area.end, [&](uintptr_t page, PageEntry entry) {
      const bool isOwn = entry.isExclusive() || entry.isSwapped();
      if (isOwn && SourceOf(runs_, page) == nullptr && !IsZero(Bytes(page)))
        differ("a page is not empty", page, page + kPage);
    });
  }
  counts_ = Count();  // reading has mapped pages in
  counts_ = Count();
  return isSame;
}

}  // namespace truefork::rollback
