// The seccomp filter of a traced program: the kernel stops it at the calls of interest, and at nothing else.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "trace/calls.h"

namespace truefork::trace {

// What a stop says in its SECCOMP_RET_DATA.
enum FilterData : uint16_t { kInterest = 1, kForeignAbi = 2, kLocationSaid = 3 };

// Calls of another architecture or ABI (32-bit programs) stop as well, with kForeignAbi: their numbers mean
// other calls, so the tracer cannot follow them.
std::vector<sock_filter> BuildFilter(Filter filter);

// Makes it the filter of this process, for ever and for all that it starts. 0, or an errno.
// Async-signal-safe.
int InstallFilter(const sock_filter* program, size_t length);

}  // namespace truefork::trace
