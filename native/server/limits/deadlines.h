// When each child has to be looked at next: a heap, so that with ten thousand children the nearest deadline
// is still at hand, and one can be moved or taken away in a few steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "speed/arena.h"

namespace truefork {

// Keys are small numbers, used again and again (slot indices): a table by key says where in the heap each is.
class Deadlines {
 public:
  // Sets or moves the deadline of this key.
  void Set(uint32_t key, int64_t when);
  void Remove(uint32_t key);

  bool empty() const { return heap_.empty(); }
  int64_t Next() const { return heap_.front().when; }  // not of an empty one

  // Takes away the nearest deadline, if it has come, and gives its key.
  std::optional<uint32_t> TakeDue(int64_t now);

 private:
  struct Entry {
    int64_t when;
    uint32_t key;
  };

  static constexpr size_t kAbsent = SIZE_MAX;

  void Place(size_t at, Entry entry);
  void SiftUp(size_t at, Entry entry);
  void SiftDown(size_t at, Entry entry);
  void RemoveAt(size_t at);

  arena::Vector<Entry> heap_;
  arena::Vector<size_t> places_;  // by key
};

}  // namespace truefork
