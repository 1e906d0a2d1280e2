#include "server/backoff.h"

#include <gtest/gtest.h>

namespace truefork {

using namespace std::chrono_literals;

TEST(BackoffTest, EachWaitIsTwiceTheLastUpToTheLongest) {
  Backoff backoff(10ms, 70ms);
  Time now{50s};
  EXPECT_FALSE(backoff.HasFailed());
  EXPECT_FALSE(backoff.IsWaiting(now));
  for (const Duration wait : {10ms, 20ms, 40ms, 70ms, 70ms}) {
    backoff.OnFailure(now);
    EXPECT_TRUE(backoff.HasFailed());
    EXPECT_EQ(backoff.NextDeadline(now), Deadline(now + wait));
    EXPECT_TRUE(backoff.IsWaiting(now + wait - 1us));
    now += wait;
    EXPECT_FALSE(backoff.IsWaiting(now));
    EXPECT_FALSE(backoff.NextDeadline(now).IsSet()) << "poll would return at once, again and again";
  }
}

TEST(BackoffTest, SuccessBeginsAnew) {
  Backoff backoff(10ms, 1s);
  const Time now{50s};
  for (int i = 0; i < 5; i++) backoff.OnFailure(now);
  backoff.OnSuccess();
  EXPECT_FALSE(backoff.HasFailed());
  EXPECT_FALSE(backoff.IsWaiting(now));
  backoff.OnFailure(now);
  EXPECT_EQ(backoff.NextDeadline(now), Deadline(now + 10ms));
}

TEST(BackoffTest, RetryNowEndsTheWaitAndForgetsNoFailure) {
  Backoff backoff(10ms, 1s);
  const Time now{50s};
  backoff.OnFailure(now);
  backoff.RetryNow();
  EXPECT_FALSE(backoff.IsWaiting(now));
  EXPECT_TRUE(backoff.HasFailed());
  backoff.OnFailure(now);
  EXPECT_EQ(backoff.NextDeadline(now), Deadline(now + 20ms));
}

}  // namespace truefork
