// A rate that allows bursts, as a token bucket: tokens drip in at the rate, up to `burst` of them, and each
// connection takes one. Only one number is stored, the time at which the bucket will be full again (the
// generic cell rate algorithm, ITU-T I.371), so nothing has to run for the tokens to drip.
#pragma once

#include <algorithm>
#include <cstdint>

#include "support/time.h"

namespace truefork {

struct Rate {
  Duration interval{0};  // between two tokens; 0: no limit
  int64_t burst = 1;
};

class TokenBucket {
 public:
  // When there is a token again, if there is none now.
  Time OpensAt(const Rate& rate) const { return fullAt_ - rate.interval * (rate.burst - 1); }
  bool IsOpen(const Rate& rate, Time now) const {
    return rate.interval == Duration::zero() || now >= OpensAt(rate);
  }
  bool IsFull(Time now) const { return now >= fullAt_; }

  void Take(const Rate& rate, Time now) { fullAt_ = std::max(fullAt_, now) + rate.interval; }

 private:
  Time fullAt_{};
};

}  // namespace truefork
