#include "support/time.h"

#include <gtest/gtest.h>

namespace truefork {

using namespace std::chrono_literals;

TEST(DeadlineTest, NeverDoesNotPass) {
  EXPECT_FALSE(Deadline().IsSet());
  EXPECT_FALSE(Deadline::Never().HasPassed(Now()));
  EXPECT_EQ(Deadline::Never().PollTimeout(Now()), -1);
  EXPECT_TRUE(Deadline(Now()) < Deadline::Never());
}

TEST(DeadlineTest, ImmediateHasPassedAndComesFirst) {
  EXPECT_TRUE(Deadline::Immediate().IsSet());
  EXPECT_TRUE(Deadline::Immediate().HasPassed(Time{}));
  EXPECT_EQ(Deadline::Immediate().PollTimeout(Time{}), 0);
  EXPECT_TRUE(Deadline::Immediate() < Deadline(Time{}));
}

TEST(DeadlineTest, PassesAtItsTime) {
  const Time now{50s};
  const Deadline deadline = now + 2ms;
  EXPECT_FALSE(deadline.HasPassed(now + 1999us));
  EXPECT_TRUE(deadline.HasPassed(now + 2ms));
}

// A timeout that is rounded down would have poll(2) return before the deadline, again and again.
TEST(DeadlineTest, PollTimeoutIsRoundedUpAndBounded) {
  const Time now{50s};
  EXPECT_EQ(Deadline(now + 2ms).PollTimeout(now), 2);
  EXPECT_EQ(Deadline(now + 2001us).PollTimeout(now), 3);
  EXPECT_EQ(Deadline(now + 1us).PollTimeout(now), 1);
  EXPECT_EQ(Deadline(now).PollTimeout(now), 0);
  EXPECT_EQ(Deadline(now - 1s).PollTimeout(now), 0);
  EXPECT_EQ(Deadline(now + 1h).PollTimeout(now), 60'000);
}

TEST(TimeTest, NeverGoesBack) {
  Time last = Now();
  for (int i = 0; i < 10'000; i++) {
    const Time now = Now();
    ASSERT_TRUE(now >= last);
    last = now;
  }
}

}  // namespace truefork
