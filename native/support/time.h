// Time as types. A number whose unit has to be guessed, and whose zero means "never", is neither a length of
// time nor a point in it.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>

namespace truefork {

using Duration = std::chrono::microseconds;

// CLOCK_MONOTONIC (clock_gettime(2)), the clock that nobody sets. The same clock as
// std::chrono::steady_clock, read without a call into the C++ library: children read it for each chunk that
// they count, and every function of another library is one more page that a child faults in.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec / 1000));
  }
};

using Time = MonotonicClock::time_point;
inline Time Now() { return MonotonicClock::now(); }

// When something is due, if ever. Deadlines are compared, not calculated with: nothing can be added to
// "never".
class Deadline {
 public:
  constexpr Deadline() = default;                 // never
  constexpr Deadline(Time when) : when_(when) {}  // NOLINT(google-explicit-constructor): every Time is one
  static constexpr Deadline Never() { return {}; }
  static constexpr Deadline Immediate() { return Time::min(); }

  constexpr bool IsSet() const { return when_ != Time::max(); }
  constexpr bool HasPassed(Time now) const { return now >= when_; }
  constexpr Time when() const { return when_; }

  // The timeout for poll(2), in milliseconds: -1 for never; rounded up, so that poll does not return shortly
  // before the deadline, again and again; at most a minute.
  int PollTimeout(Time now) const {
    if (!IsSet()) return -1;
    if (HasPassed(now)) return 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when_ - now);
    return static_cast<int>(std::min<int64_t>(left.count(), 60'000));
  }

  friend constexpr bool operator<(Deadline one, Deadline other) { return one.when_ < other.when_; }
  friend constexpr bool operator==(Deadline one, Deadline other) { return one.when_ == other.when_; }

 private:
  Time when_ = Time::max();
};

}  // namespace truefork
