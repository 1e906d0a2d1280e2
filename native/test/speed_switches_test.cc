#include <gtest/gtest.h>
#include <stdlib.h>

#include "speed/switches.h"

namespace truefork::speed {

namespace {

void Set(const char* value) { setenv("TRUEFORK_SPEED", value, 1); }

}  // namespace

TEST(SpeedSwitches, EverythingIsOnWithoutTheVariable) {
  unsetenv("TRUEFORK_SPEED");
  EXPECT_TRUE(IsOn(Measure::TextHugePages));
  EXPECT_TRUE(IsOn(Measure::Prespawn));
  EXPECT_EQ(UnknownSwitch(), "");
}

TEST(SpeedSwitches, EachNameAfterAMinusIsOffAndNoOther) {
  Set("-arena,-prespawn");
  EXPECT_FALSE(IsOn(Measure::Arena));
  EXPECT_FALSE(IsOn("prespawn"));
  EXPECT_TRUE(IsOn(Measure::TextHugePages));
  EXPECT_TRUE(IsOn(Measure::DataHugePages));
  EXPECT_EQ(UnknownSwitch(), "");
}

TEST(SpeedSwitches, APartOfANameIsNotTheName) {
  Set("-aren,-text");
  EXPECT_TRUE(IsOn(Measure::Arena));
  EXPECT_TRUE(IsOn(Measure::TextHugePages));
  EXPECT_EQ(UnknownSwitch(), "-aren");
}

TEST(SpeedSwitches, AnUnknownNameOrOneWithoutAMinusIsReported) {
  Set(",,-arena,,garbage");
  EXPECT_FALSE(IsOn(Measure::Arena));
  EXPECT_TRUE(IsOn(Measure::Garbage));
  EXPECT_EQ(UnknownSwitch(), "garbage");
}

TEST(SpeedSwitches, TheNamesAreListedForTheMessage) {
  EXPECT_NE(Names().find("heap-placement, arena"), std::string::npos);
}

TEST(SpeedSwitchesDeathTest, ANameThatIsNoneIsABugOfOurs) {
  EXPECT_DEATH(IsOn("no-such-measure"), "assertion failed");
}

}  // namespace truefork::speed
