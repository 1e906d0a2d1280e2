// Fault injection: a call that is told to fail, fails, without asking the kernel. For tests, ours and users'.
#pragma once

#include <cstdint>
#include <string_view>

namespace truefork::faults {

enum class Call : uint8_t { Fork, Accept, Read, Write };
constexpr int kCalls = 4;

// What a call is known by in TRUEFORK_FAULTS; nullptr past the last.
const char* Name(Call call);

// The next `times` calls fail with errnum, or, with forMs above 0, every call until that many milliseconds
// have gone by. Asking again replaces what was asked before.
void Arm(Call call, int errnum, uint32_t times, uint32_t forMs);

// Nothing was ever armed: the only question on the fast path.
extern bool armed;

// The errno with which this call must fail now, or 0. Counts the call.
int TakeArmed(Call call);
inline int Take(Call call) { return armed ? TakeArmed(call) : 0; }

}  // namespace truefork::faults
