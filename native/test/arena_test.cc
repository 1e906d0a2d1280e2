#include "speed/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace truefork {

TEST(PackedTest, NoTwoOverlapAndEachKeepsItsBytes) {
  std::mt19937 random(1);
  std::map<char*, size_t> taken;
  for (int turn = 0; turn < 10'000; turn++) {
    if (taken.size() < 200 || random() % 2 == 0) {
      const size_t size = 1 + random() % (turn % 50 == 0 ? 100'000 : 500);
      auto* memory = static_cast<char*>(arena::Take(size));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % alignof(std::max_align_t), 0u);
      std::memset(memory, static_cast<int>(size % 251), size);
      ASSERT_TRUE(taken.emplace(memory, size).second);
    } else {
      const auto one = std::next(taken.begin(), random() % taken.size());
      const auto [memory, size] = *one;
      for (size_t i = 0; i < size; i++) ASSERT_EQ(memory[i], static_cast<char>(size % 251));
      arena::Give(memory, size);
      taken.erase(one);
    }
  }
  for (const auto& [memory, size] : taken) arena::Give(memory, size);
}

#ifndef __SANITIZE_ADDRESS__
TEST(PackedTest, WhatWasGivenBackIsTakenAgain) {
  void* first = arena::Take(40);
  arena::Give(first, 40);
  EXPECT_EQ(arena::Take(64), first) << "sizes are powers of two";
  arena::Give(first, 64);
}

TEST(PackedTest, SmallOnesLieTogether) {
  const auto* one = static_cast<char*>(arena::Take(3000));
  const auto* other = static_cast<char*>(arena::Take(3000));
  EXPECT_LE(std::abs(one - other), 64 * 1024);
}
#endif

}  // namespace truefork
