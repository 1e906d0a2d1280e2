// The memory of a worker: what it was at the mark, what has changed since, and how it is put back.
#pragma once

#include <cstdint>

#include "rollback/kernel_state.h"
#include "rollback/maps.h"
#include "rollback/pages.h"
#include "rollback/reason.h"
#include "rollback/template.h"
#include "support/libc_calls.h"

namespace truefork::rollback {

class Memory {
 public:
  static constexpr size_t kMostExcluded = 8;

  // Before the mark: /proc's files, and what is not part of the snapshot.
  bool Prepare(const ProcFiles& files, const Range* excluded, size_t count, bool explains);

  // At the mark: compares each page with the template, and keeps those that differ. False where that cannot
  // be done, or not in the room there is.
  bool Capture(const Template& pages);

  Reason Restore();

  // Compares every page and mapping with the mark, and says on standard error what differs.
  bool Verify();

  // Whether the last Restore() had to look for what had changed.
  bool wasSlow() const { return wasSlow_; }

 private:
  // A page that this process has written to: it stays its own, and can be written to without a fault. So as
  // long as no fault is counted, these are all that can have changed.
  struct Page {
    uintptr_t address;
    const uint8_t* source;  // null: zeros
    int protection;
  };
  static constexpr size_t kMostPages = 16 * 1024;

  struct Counts {
    uint64_t faults;
    uint64_t size;  // of the address space
    uintptr_t heapEnd;
  };

  struct Part {
    uintptr_t start, end;
    const Area* marked;  // null: it was not there
    const Area* now;     // null: it is not there
  };

  bool ReadAreasInto(Areas& areas) { return ReadAreas(files_.maps, text_, excluded_, excludedCount_, areas); }
  bool CapturePages(const Template& pages);
  const uint8_t* Keep(uintptr_t page);
  Counts Count() const;
  bool HaveMappingsChanged(const Counts& now) const;
  template <typename Each>
  Reason ForEachPart(Each each) const;
  Reason RestoreMappings();
  static Reason RestorePart(const Part& part);
  Reason FindChanges(bool mappingsChanged);
  void FindDropped(bool comparesAll);
  bool Add(uintptr_t page, const uint8_t* source, int protection) {
    return changed_.Add({page, source, protection});
  }
  void RestorePages() const;
  void Write(uintptr_t page, const uint8_t* source) const;
  bool IsAsMarked(uintptr_t page, const uint8_t* source) const;
  int ProtectionAt(uintptr_t page) const;

  ProcFiles files_;
  Range excluded_[kMostExcluded];
  size_t excludedCount_ = 0;
  // Copies of pages that differ from the template: address space for many, memory for those there are.
  uintptr_t own_ = 0;
  size_t ownPages_ = 0;
  size_t ownRoom_ = 0;
  bool explains_ = false;  // says on standard error why it cannot restore
  LibcCalls calls_{};
  Counts counts_{};
  bool wasSlow_ = false;
  // The kernel writes to this part of a page whenever it likes: rseq(2)'s.
  Range thread_{0, 0};
  MapsText text_;
  Areas marked_;
  Areas now_;
  Runs runs_;
  PageMap pageMap_{-1};
  Array<Page, kMostPages> changed_;
};

}  // namespace truefork::rollback
