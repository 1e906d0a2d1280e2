// TRUEFORK_SPEED=-huge-pages,-arena in the environment turns measures off, each by its name after a minus.
#pragma once

#include <string>
#include <string_view>

namespace truefork::speed {

enum class Measure {
  TextHugePages,
  DataHugePages,
  HeapPlacement,
  Arena,
  Garbage,
  SettledMalloc,
  Rehearsal,
  Prespawn,
};

bool IsOn(Measure measure);

// The same by the name in TRUEFORK_SPEED; the name has to be one of those.
bool IsOn(std::string_view name);

// The first entry of TRUEFORK_SPEED that is not a known name after a minus, or "".
std::string UnknownSwitch();

// All names, separated by ", ".
std::string Names();

}  // namespace truefork::speed
