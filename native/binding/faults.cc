#include "binding/faults.h"

#include <optional>
#include <string>

#include "support/assert.h"
#include "support/faults.h"

namespace truefork {

namespace {

std::optional<faults::Call> CallNamed(const std::string& name) {
  for (int call = 0; call < faults::kCalls; call++)
    if (name == faults::Name(static_cast<faults::Call>(call))) return static_cast<faults::Call>(call);
  return std::nullopt;
}

}  // namespace

void ArmFault(const Napi::CallbackInfo& info) {
  const auto call = CallNamed(info[0].As<Napi::String>());
  TRUEFORK_ASSERT(call.has_value());
  faults::Arm(*call, info[1].As<Napi::Number>().Int32Value(), info[2].As<Napi::Number>().Uint32Value(),
              info[3].As<Napi::Number>().Uint32Value());
}

}  // namespace truefork
