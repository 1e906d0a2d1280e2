#include "server/limits/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace truefork {

namespace {

Time At(int64_t micros) { return Time(Duration(micros)); }

}  // namespace

TEST(DeadlinesTest, TheNearestComesFirstAndOnlyWhenItIsDue) {
  Deadlines deadlines;
  EXPECT_TRUE(deadlines.empty());
  EXPECT_EQ(deadlines.TakeDue(At(INT64_MAX - 1)), std::nullopt);
  deadlines.Set(3, At(300));
  deadlines.Set(1, At(100));
  deadlines.Set(2, At(200));
  EXPECT_EQ(deadlines.Next(), Deadline(At(100)));
  EXPECT_EQ(deadlines.TakeDue(At(99)), std::nullopt);
  EXPECT_EQ(deadlines.TakeDue(At(100)), 1u);
  EXPECT_EQ(deadlines.TakeDue(At(250)), 2u);
  EXPECT_EQ(deadlines.TakeDue(At(250)), std::nullopt);
  EXPECT_EQ(deadlines.TakeDue(At(300)), 3u);
  EXPECT_TRUE(deadlines.empty());
}

TEST(DeadlinesTest, OneToAKey) {
  Deadlines deadlines;
  deadlines.Set(7, At(100));
  deadlines.Set(7, At(300));
  deadlines.Set(8, At(200));
  EXPECT_EQ(deadlines.TakeDue(At(1000)), 8u);
  deadlines.Set(7, At(50));
  EXPECT_EQ(deadlines.Next(), Deadline(At(50)));
  deadlines.Remove(7);
  EXPECT_TRUE(deadlines.empty());
}

TEST(DeadlinesTest, RemovingWhatIsNotThereIsNothing) {
  Deadlines deadlines;
  deadlines.Remove(0);
  deadlines.Set(2, At(10));
  deadlines.Remove(1);
  deadlines.Remove(1000);
  EXPECT_EQ(deadlines.Next(), Deadline(At(10)));
}

// Against the plainest structure that does the same.
TEST(DeadlinesTest, AgreesWithASortedMapOverManySteps) {
  std::mt19937 random(7);
  Deadlines deadlines;
  std::map<uint32_t, Time> expected;  // by key
  for (int step = 0; step < 20'000; step++) {
    const uint32_t key = random() % 200;
    const Time when = At(random() % 1000);
    const uint32_t what = random() % 4;
    if (what < 2) {
      deadlines.Set(key, when);
      expected[key] = when;
    } else if (what == 2) {
      deadlines.Remove(key);
      expected.erase(key);
    } else if (const auto taken = deadlines.TakeDue(when)) {
      for (const auto& [other, its] : expected) EXPECT_TRUE(its >= expected.at(*taken)) << other;
      expected.erase(*taken);
    } else {
      for (const auto& [other, its] : expected) EXPECT_TRUE(its > when) << other;
    }
    ASSERT_EQ(deadlines.empty(), expected.empty());
    if (expected.empty()) continue;
    const auto nearest = std::min_element(expected.begin(), expected.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
    ASSERT_EQ(deadlines.Next(), Deadline(nearest->second));
  }
}

}  // namespace truefork
