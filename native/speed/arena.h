// Arena: packs the loop's mutable state into few pages, so that each fork causes fewer copy-on-write faults.
// After a fork the loop and the child share all pages, and the loop's first write to each copies it. A dozen
// allocations of malloc's, each on a page of its own, would cost as much as the rest of the loop. For one
// thread alone. With TRUEFORK_SPEED=-arena all of it comes from operator new.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace truefork::arena {

void* Take(size_t size);
void Give(void* memory, size_t size);

template <typename T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <typename U>
  Allocator(const Allocator<U>&) {}  // NOLINT(google-explicit-constructor): containers convert it
  // NOLINTBEGIN(bugprone-sizeof-expression): a T may be a pointer, to a bucket of a table
  T* allocate(size_t count) { return static_cast<T*>(Take(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) { Give(memory, count * sizeof(T)); }
  // NOLINTEND(bugprone-sizeof-expression)
  bool operator==(const Allocator&) const { return true; }
  bool operator!=(const Allocator&) const { return false; }
};

template <typename T>
using Vector = std::vector<T, Allocator<T>>;

template <typename Key, typename T, typename Hash = std::hash<Key>>
using UnorderedMap = std::unordered_map<Key, T, Hash, std::equal_to<Key>, Allocator<std::pair<const Key, T>>>;

using String = std::basic_string<char, std::char_traits<char>, Allocator<char>>;

}  // namespace truefork::arena
