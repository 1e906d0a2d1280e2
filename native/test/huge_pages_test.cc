#include "speed/huge_pages.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

#include "fork/mappings.h"
#include "fork/threads.h"
#include "test/subject.h"

namespace truefork {

namespace {

constexpr size_t kSize = 5 * 1024 * 1024 + 12 * 4096;  // two large pages at least, and pieces of others

std::string Pattern() {
  std::string pattern(kSize, ' ');
  for (size_t at = 0; at < kSize; at++) pattern[at] = static_cast<char>('a' + at * 7 / 4093 % 26);
  return pattern;
}

}  // namespace

TEST(Mappings, KnowWhatIsMapped) {
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  bool found = false;
  for (const Mapping& mapping : Mappings()) {
    if (mapping.start != reinterpret_cast<uintptr_t>(page)) continue;
    found = true;
    EXPECT_EQ(mapping.protection, PROT_READ);
    EXPECT_TRUE(mapping.shared);
  }
  EXPECT_TRUE(found);
  munmap(page, 4096);
}

TEST(HugePages, EveryByteStaysWhereItWasAndStaysWritable) {
  void* got = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(got, MAP_FAILED);
  auto* data = static_cast<char*>(got);
  const std::string pattern = Pattern();
  memcpy(data, pattern.data(), kSize);
  ASSERT_TRUE(GatherIntoHugePages());
  EXPECT_EQ(memcmp(data, pattern.data(), kSize), 0);
  test::Subject child([data, &pattern] {
    ASSERT_EQ(memcmp(data, pattern.data(), kSize), 0);
    memset(data, 'x', kSize);
  });
  EXPECT_EQ(test::Describe(child.Wait()), "exit 0");
  EXPECT_EQ(memcmp(data, pattern.data(), kSize), 0);
  memset(data, 'y', kSize);
  munmap(data, kSize);
}

TEST(HugePages, TheProgramRunsOnInTheCopyOfItsText) {
  ASSERT_TRUE(GatherIntoHugePages());
  ASSERT_TRUE(GatherIntoHugePages());  // what is gathered already does no harm
  EXPECT_EQ(Pattern().size(), kSize);
}

TEST(ThreadActivity, IsTheSameWhileNoThreadRuns) { EXPECT_EQ(ThreadActivity(), ThreadActivity()); }

}  // namespace truefork
