// What to do when the machine is short of something: neither spin nor give up, but try again, ever less
// often, until it succeeds.
#pragma once

#include <algorithm>

#include "support/time.h"

namespace truefork {

class Backoff {
 public:
  Backoff(Duration first, Duration longest) : first_(first), longest_(longest) {}

  // The try failed. The next one is due after a wait, and each wait is twice as long as the one before.
  void OnFailure(Time now) {
    wait_ = std::clamp(wait_ * 2, first_, longest_);
    retryAt_ = now + wait_;
  }

  void OnSuccess() {
    wait_ = Duration::zero();
    retryAt_ = Deadline::Never();
  }

  // What was short may have been freed: the next try need not wait. If it fails all the same, the wait goes
  // on growing.
  void RetryNow() { retryAt_ = Deadline::Never(); }

  // Whether something has failed and not succeeded since.
  bool HasFailed() const { return wait_ > Duration::zero(); }

  bool IsWaiting(Time now) const { return retryAt_.IsSet() && !retryAt_.HasPassed(now); }

  // When the wait ends; never, where there is none.
  Deadline NextDeadline(Time now) const { return IsWaiting(now) ? retryAt_ : Deadline::Never(); }

 private:
  Duration first_;
  Duration longest_;
  Duration wait_{0};
  Deadline retryAt_;
};

}  // namespace truefork
