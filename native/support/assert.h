// Assertions that stay in release builds. For invariants of what this process itself wrote: its tables, its phases. A
// broken one means that memory or code is not as it was written, and nothing that follows can be relied on, so the
// process aborts; the owner of a zygote starts another.
//
// What a child, a client, the owner or the kernel says is never asserted. It is checked, counted and answered: an
// assertion that input can reach is a way to end every connection at once.
#pragma once

namespace truefork {

[[noreturn]] void AssertionFailed(const char* condition, const char* file, int line);

}  // namespace truefork

#define TRUEFORK_ASSERT(condition)                   \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::truefork::AssertionFailed(#condition, __FILE__, __LINE__))
