#include "support/assert.h"

#include <gtest/gtest.h>

namespace truefork {

TEST(Assert, AConditionThatHoldsIsEvaluatedOnceAndChangesNothing) {
  int evaluated = 0;
  TRUEFORK_ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, ABrokenOneNamesItselfAndItsPlaceAndAborts) {
  const int children = 3;
  EXPECT_EXIT(TRUEFORK_ASSERT(children == 4), ::testing::KilledBySignal(SIGABRT),
              "truefork: assertion failed: children == 4 \\(.*assert_test.cc:[0-9]+\\)");
}

}  // namespace truefork
