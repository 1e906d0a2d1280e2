#include "speed/switches.h"

#include <stdlib.h>

#include <algorithm>
#include <iterator>

#include "support/assert.h"

namespace truefork::speed {

namespace {

// In the order of the enumeration.
constexpr std::string_view kNames[] = {"text-huge-pages", "data-huge-pages", "heap-placement", "arena",
                                       "garbage",         "settled-malloc",  "rehearsal",      "prespawn"};

// Calls visit(entry) for each entry of the variable until it returns true.
template <typename Visit>
bool AnyEntry(Visit visit) {
  const char* value = getenv("TRUEFORK_SPEED");
  std::string_view rest(value != nullptr ? value : "");
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view entry = rest.substr(0, comma);
    if (!entry.empty() && visit(entry)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

bool IsKnown(std::string_view name) {
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

bool IsOn(Measure measure) { return IsOn(kNames[static_cast<size_t>(measure)]); }

bool IsOn(std::string_view name) {
  TRUEFORK_ASSERT(IsKnown(name));
  return !AnyEntry([&](std::string_view entry) { return entry[0] == '-' && entry.substr(1) == name; });
}

std::string UnknownSwitch() {
  std::string unknown;
  AnyEntry([&](std::string_view entry) {
    if (entry[0] == '-' && IsKnown(entry.substr(1))) return false;
    unknown = entry;
    return true;
  });
  return unknown;
}

std::string Names() {
  std::string names;
  for (const std::string_view name : kNames) names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

}  // namespace truefork::speed
