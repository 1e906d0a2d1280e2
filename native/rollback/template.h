// The zygote's pages, copied once for all workers, into memory that none of them can write to: a sealed
// memfd, mapped read-only.
#pragma once

#include <cstdint>

#include "rollback/maps.h"
#include "rollback/outside.h"

namespace truefork::rollback {

// Pages that lie together, here and where they are kept.
struct Run {
  uintptr_t start;
  uint32_t pages;
  bool isFile;  // of a file's private mapping: a page that is not there has the file's content
  const uint8_t* source;

  uintptr_t end() const { return start + pages * kPage; }
};

constexpr size_t kMostRuns = 16 * 1024;
using Runs = Array<Run, kMostRuns>;

// Appends a page that comes after all the others.
inline bool AddPage(Runs& runs, uintptr_t page, const uint8_t* source, bool isFile) {
  if (!runs.empty()) {
    Run& last = runs.back();
    if (last.end() == page && last.source + last.pages * kPage == source && last.isFile == isFile) {
      last.pages++;
      return true;
    }
  }
  return runs.Add({page, 1, isFile, source});
}

// The run that holds the page, or the first beyond it; runs.end() where there is none.
inline const Run* FindRun(const Runs& runs, uintptr_t page) {
  size_t low = 0;
  size_t high = runs.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (runs[middle].end() <= page)
      low = middle + 1;
    else
      high = middle;
  }
  return runs.begin() + low;
}

inline const uint8_t* SourceOf(const Runs& runs, uintptr_t page) {
  const Run* run = FindRun(runs, page);
  return run == runs.end() || page < run->start ? nullptr : run->source + (page - run->start);
}

class Template {
 public:
  // In the zygote, once. False, and without a template nothing is rolled back, where memory or /proc is
  // short.
  bool Make();

  bool IsMade() const { return pages_.start != 0; }
  const Runs& runs() const { return *runs_; }
  // What is not part of the snapshot.
  size_t Ranges(Range* into) const;

 private:
  Range pages_{0, 0};
  Region index_;
  Runs* runs_ = nullptr;
};

}  // namespace truefork::rollback
