// The next deadline of each child, in a heap: with ten thousand children the nearest is still found at once,
// and one is moved or removed in a few steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "speed/arena.h"
#include "support/time.h"

namespace truefork {

// Keys are slot indices, small numbers that are used again, so a table by key says where in the heap each
// entry is.
class Deadlines {
 public:
  // Sets or moves the deadline of this key.
  void Set(uint32_t key, Deadline when);
  void Remove(uint32_t key);

  bool empty() const { return heap_.empty(); }
  Deadline Next() const { return heap_.empty() ? Deadline::Never() : heap_.front().when; }

  // Removes the nearest deadline, if it has passed, and returns its key.
  std::optional<uint32_t> TakeDue(Time now);

 private:
  struct Entry {
    Deadline when;
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
