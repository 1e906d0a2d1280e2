#include "support/faults.h"

#include "support/clock.h"

namespace truefork::faults {

namespace {

struct Fault {
  int errnum = 0;
  uint32_t times = 0;
  int64_t until = 0;  // microseconds, or 0: counted by times
};

Fault faults[kCalls];

}  // namespace

bool armed = false;

const char* Name(Call call) {
  static const char* const names[kCalls] = {"fork", "accept", "read", "write"};
  const int index = static_cast<int>(call);
  return index < kCalls ? names[index] : nullptr;
}

void Arm(Call call, int errnum, uint32_t times, uint32_t forMs) {
  const int64_t until = forMs > 0 ? NowMicros() + int64_t{forMs} * 1000 : 0;
  faults[static_cast<int>(call)] = {errnum, times, until};
  armed = true;
}

int TakeArmed(Call call) {
  Fault& fault = faults[static_cast<int>(call)];
  if (fault.until > 0) return NowMicros() < fault.until ? fault.errnum : 0;
  if (fault.times == 0) return 0;
  fault.times--;
  return fault.errnum;
}

}  // namespace truefork::faults
