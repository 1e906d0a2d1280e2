#include "server/limits/slots.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "child/traffic.h"
#include "support/clock.h"
#include "test/subject.h"

namespace truefork {

namespace {

// How many pages of a mapping there are in truth (mincore(2)).
size_t ResidentPages(void* start, size_t size) {
  const size_t page = sysconf(_SC_PAGESIZE);
  std::vector<unsigned char> pages((size + page - 1) / page);
  EXPECT_EQ(mincore(start, size, pages.data()), 0);
  return std::count_if(pages.begin(), pages.end(), [](unsigned char one) { return one & 1; });
}

}  // namespace

TEST(SlotsTest, WhatAChildWritesTheParentReads) {
  Slots slots(100);
  ASSERT_TRUE(slots.ok());
  const uint32_t mine = slots.Take(), other = slots.Take();
  EXPECT_NE(mine, other);
  const int64_t before = NowMicros();
  test::Subject child([&] {
    traffic::Begin(&slots[mine], 5);
    traffic::Received(10);
    traffic::Received(7);
    traffic::Sent(5, 3);
    traffic::Sent(1, 1000);  // standard output, say
  });
  EXPECT_EQ(test::Describe(child.Wait()), "exit 0");
  EXPECT_EQ(slots[mine].bytesIn, 17u);
  EXPECT_EQ(slots[mine].bytesOut, 3u);
  EXPECT_GE(slots[mine].lastActivity, before);
  EXPECT_LE(slots[mine].lastActivity, NowMicros());
  EXPECT_EQ(slots[other].bytesIn, 0u);
  EXPECT_EQ(slots[other].lastActivity, 0);
}

TEST(SlotsTest, WhatAChildWroteOutlivesItsSigkill) {
  Slots slots(1);
  const uint32_t slot = slots.Take();
  test::Subject child([&] {
    traffic::Begin(&slots[slot], 5);
    traffic::Received(1);
    traffic::RanOutOfMemory();
    raise(SIGKILL);
  });
  EXPECT_EQ(test::Describe(child.Wait()), "Killed");
  EXPECT_EQ(slots[slot].bytesIn, 1u);
  EXPECT_TRUE(slots[slot].isOutOfMemory);
}

TEST(SlotsTest, AFreedSlotIsTakenAgainFreshAndFirst) {
  Slots slots(100);
  const uint32_t a = slots.Take(), b = slots.Take();
  slots[a].bytesIn = 5;
  slots[a].isOutOfMemory = true;
  slots.Free(b);
  slots.Free(a);
  EXPECT_EQ(slots.Take(), a);
  EXPECT_EQ(slots[a].bytesIn, 0u);
  EXPECT_FALSE(slots[a].isOutOfMemory);
  EXPECT_EQ(slots.Take(), b);
  EXPECT_EQ(slots.Take(), 2u);
}

// A million of them, of which a server takes a few: only those may cost memory.
TEST(SlotsTest, UntakenSlotsCostNothing) {
  Slots slots;
  ASSERT_TRUE(slots.ok());
  for (int i = 0; i < 64; i++) slots.Take();
  slots[Slots::kCapacity - 1].bytesIn = 1;  // the last is there
  EXPECT_EQ(ResidentPages(&slots[0], Slots::kCapacity * sizeof(Slot)), 2u);
}

// Who counts by itself, counts from nothing when it begins: a socket that takes a connection over, say.
TEST(TrafficTest, ReachedOnlyGrows) {
  Slots slots(1);
  Slot& slot = slots[slots.Take()];
  traffic::Begin(&slot, 5);
  traffic::Reached(10, 20);
  traffic::Reached(10, 20);
  traffic::Reached(0, 0);
  EXPECT_EQ(slot.bytesIn, 10u);
  EXPECT_EQ(slot.bytesOut, 20u);
  slot.lastActivity = 1;
  traffic::Reached(10, 20);
  EXPECT_EQ(slot.lastActivity, 1);  // nothing has moved
  traffic::Reached(11, 20);
  EXPECT_GT(slot.lastActivity, 1);
}

}  // namespace truefork
