#include "support/faults.h"

#include <errno.h>

#include "test/subject.h"

namespace truefork {

using faults::Call;

class Faults : public testing::Test {
 protected:
  void TearDown() override {
    for (int call = 0; call < faults::kCalls; call++) faults::Arm(static_cast<Call>(call), 0, 0, 0);
  }
};

TEST_F(Faults, NothingFailsUnasked) { EXPECT_EQ(faults::Take(Call::Fork), 0); }

TEST_F(Faults, AreCountedForEachCall) {
  faults::Arm(Call::Accept, EMFILE, 2, 0);
  EXPECT_EQ(faults::Take(Call::Fork), 0);
  EXPECT_EQ(faults::Take(Call::Accept), EMFILE);
  EXPECT_EQ(faults::Take(Call::Accept), EMFILE);
  EXPECT_EQ(faults::Take(Call::Accept), 0);
}

TEST_F(Faults, LastForATime) {
  faults::Arm(Call::Read, EINTR, 0, 20);
  EXPECT_EQ(faults::Take(Call::Read), EINTR);
  EXPECT_EQ(faults::Take(Call::Read), EINTR);
  EXPECT_TRUE(test::Eventually([] { return faults::Take(Call::Read) == 0; }));
}

TEST_F(Faults, AskingAgainReplaces) {
  faults::Arm(Call::Write, EPIPE, 0, 60'000);
  faults::Arm(Call::Write, EAGAIN, 1, 0);
  EXPECT_EQ(faults::Take(Call::Write), EAGAIN);
  EXPECT_EQ(faults::Take(Call::Write), 0);
}

TEST_F(Faults, HaveNames) {
  EXPECT_STREQ(faults::Name(Call::Fork), "fork");
  EXPECT_STREQ(faults::Name(Call::Write), "write");
  EXPECT_EQ(faults::Name(static_cast<Call>(faults::kCalls)), nullptr);
}

}  // namespace truefork
