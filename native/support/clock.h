#pragma once

#include <time.h>

#include <cstdint>

namespace truefork {

// Microseconds on the clock that no one sets (clock_gettime(2), CLOCK_MONOTONIC).
inline int64_t NowMicros() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace truefork
