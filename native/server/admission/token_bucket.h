// A rate with room for bursts, as a token bucket: tokens drip in at the rate, up to `burst` of them, and each
// connection takes one. What is kept is the moment when it will be full again (the generic cell rate
// algorithm, ITU-T I.371): nothing has to drip.
#pragma once

#include <algorithm>
#include <cstdint>

namespace truefork {

struct Rate {
  int64_t intervalUs = 0;  // between two tokens; 0: no limit
  int64_t burst = 1;
};

class TokenBucket {
 public:
  // From when on there is a token, in microseconds.
  int64_t OpensAt(const Rate& rate) const { return fullAt_ - rate.intervalUs * (rate.burst - 1); }
  bool IsOpen(const Rate& rate, int64_t now) const { return rate.intervalUs == 0 || now >= OpensAt(rate); }
  bool IsFull(int64_t now) const { return now >= fullAt_; }

  void Take(const Rate& rate, int64_t now) { fullAt_ = std::max(fullAt_, now) + rate.intervalUs; }

 private:
  int64_t fullAt_ = 0;
};

}  // namespace truefork
