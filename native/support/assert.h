// Assertions about what our own code wrote: its tables, its phases. They hold in release builds too. What
// comes from a child, a client, the owner or the kernel is never asserted but checked and answered, for a
// failed assertion ends the process: the owner then starts another zygote.
#pragma once

namespace truefork {

// Writes what failed, and where, to standard error, and aborts. Async-signal-safe: it may run between fork
// and exec.
[[noreturn]] void AssertionFailed(const char* condition, const char* file, int line);

}  // namespace truefork

#define TRUEFORK_ASSERT(condition)                                                                      \
  do {                                                                                                  \
    if (__builtin_expect(!(condition), 0)) ::truefork::AssertionFailed(#condition, __FILE__, __LINE__); \
  } while (false)
