#pragma once

#include <napi.h>

namespace truefork {

// armFault(call, errno, times, forMs): fault injection (support/faults.h). lib/fork/faults.ts has checked the
// name.
void ArmFault(const Napi::CallbackInfo& info);

}  // namespace truefork
