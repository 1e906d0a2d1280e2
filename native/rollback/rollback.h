// A worker that puts itself back to its mark after each connection.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstdint>

#include "rollback/reason.h"

namespace truefork::rollback {

// In the zygote, when all is loaded and before the first fork: makes the template. `verifies`: after each
// rollback all pages are compared with what they should be.
void Prepare(bool verifies);

// Once in a worker, before its mark.
struct Worker {
  int epollFd;                         // the event loop's,
  int drained[2];                      // and what wakes it
  std::atomic<uint32_t>* replacedFor;  // where a Reason is left, in memory that outlives the worker
};
// False where this process cannot be rolled back.
bool PrepareWorker(const Worker& worker);

// Of the connection before.
struct Served {
  uint32_t rollbacks = 0;  // so far; 0: there was no connection
  bool wasSlow = false;    // whether the last had to look for what had changed
  rusage usage{};          // what it used
};

// Returns again for each RollBack(), with all memory as it was. What the caller does next, every connection
// finds done; its own variables are as they were, too. False where the process cannot be marked.
bool Mark();

// What the mark's caller asks after Mark() has returned.
const Served& LastServed();

// From now on the memory that a rollback needs is write-protected, and resources are counted.
void BeginConnection();

// Goes back to the mark, or ends the process with code 0. Returns at once in a process without a mark: in one
// that a worker has forked, too.
void RollBack();

// There will be no more rollback: the process ends with the connection that begins.
void GiveUp();

}  // namespace truefork::rollback
