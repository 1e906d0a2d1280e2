#include "server/limits/slots.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "child/traffic.h"
#include "test/subject.h"

namespace truefork {

namespace {

// How many pages of a mapping are in memory (mincore(2)).
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
  const Time before = Now();
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
  EXPECT_TRUE(slots[mine].lastActivity.load() >= before);
  EXPECT_TRUE(slots[mine].lastActivity.load() <= Now());
  EXPECT_EQ(slots[other].bytesIn, 0u);
  EXPECT_TRUE(slots[other].lastActivity.load() == Time{});
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
  EXPECT_NE(slots[slot].outOfMemory, 0u);
}

TEST(SlotsTest, AFreedSlotIsTakenAgainFreshAndFirst) {
  Slots slots(100);
  const uint32_t a = slots.Take(), b = slots.Take();
  slots[a].bytesIn = 5;
  slots[a].outOfMemory = 1;
  slots.Free(b);
  slots.Free(a);
  EXPECT_EQ(slots.Take(), a);
  EXPECT_EQ(slots[a].bytesIn, 0u);
  EXPECT_EQ(slots[a].outOfMemory, 0u);
  EXPECT_EQ(slots.Take(), b);
  EXPECT_EQ(slots.Take(), 2u);
}

// A hundred thousand of them, of which a server takes a few: only those may cost memory.
TEST(SlotsTest, UntakenSlotsCostNothing) {
  Slots slots;
  ASSERT_TRUE(slots.ok());
  for (int i = 0; i < 64; i++) slots.Take();
  slots[Slots::kCapacity - 1].bytesIn = 1;  // the last is there
  EXPECT_EQ(ResidentPages(&slots[0], Slots::kCapacity * sysconf(_SC_PAGESIZE)), 65u);
}

TEST(SlotsTest, AChildThatKeepsItsOwnCannotReachAnother) {
  Slots slots(100);
  const uint32_t before = slots.Take(), own = slots.Take(), behind = slots.Take();
  for (const uint32_t other : {before, behind}) {
    test::Subject child([&] {
      signal(SIGSEGV, SIG_DFL);  // AddressSanitizer's handler would exit with a report
      EXPECT_TRUE(slots.KeepOnly(own));
      slots[own].bytesIn = 7;
      EXPECT_EQ(mprotect(&slots[other], 1, PROT_READ | PROT_WRITE), -1);
      slots[other].bytesIn = 123'456'789;
    });
    EXPECT_EQ(test::Describe(child.Wait()), "Segmentation fault");
    EXPECT_EQ(slots[own].bytesIn, 7u);
    EXPECT_EQ(slots[other].bytesIn, 0u);
  }
}

TEST(SlotsTest, TheFirstAndTheLastCanBeKeptToo) {
  Slots slots(3);
  for (const uint32_t own : {0u, 2u}) {
    test::Subject child([&] {
      EXPECT_TRUE(slots.KeepOnly(own));
      slots[own].bytesIn = 7;
    });
    EXPECT_EQ(test::Describe(child.Wait()), "exit 0");
    EXPECT_EQ(slots[own].bytesIn, 7u);
  }
}

TEST(SlotsTest, ThereIsAnEndToThem) {
  Slots slots(2);
  const uint32_t first = slots.Take();
  EXPECT_TRUE(slots.Any());
  slots.Take();
  EXPECT_FALSE(slots.Any());
  slots.Free(first);
  EXPECT_TRUE(slots.Any());
}

// Node's sockets count by themselves, from nothing when they take over a connection.
TEST(TrafficTest, ReachedOnlyGrows) {
  Slots slots(1);
  Slot& slot = slots[slots.Take()];
  traffic::Begin(&slot, 5);
  traffic::Reached(10, 20);
  traffic::Reached(10, 20);
  traffic::Reached(0, 0);
  EXPECT_EQ(slot.bytesIn, 10u);
  EXPECT_EQ(slot.bytesOut, 20u);
  slot.lastActivity = Time(Duration(1));
  traffic::Reached(10, 20);
  EXPECT_TRUE(slot.lastActivity.load() == Time(Duration(1)));  // nothing has moved
  traffic::Reached(11, 20);
  EXPECT_TRUE(slot.lastActivity.load() > Time(Duration(1)));
}

}  // namespace truefork
