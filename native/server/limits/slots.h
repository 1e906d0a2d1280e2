// The slots of all children: shared memory in which each child counts, and the zygote reads.
#pragma once

#include <cstdint>

#include "protocol/slot.h"
#include "speed/arena.h"

namespace truefork {

class Slots {
 public:
  // Mapped before the first fork: memory that is mapped later would not be shared with the children forked
  // before. Pages of slots that are never taken cost nothing, so the capacity can be more than any server
  // needs.
  static constexpr uint32_t kCapacity = 1'000'000;

  // The memory is never unmapped: in a child it outlives the loop that made it.
  explicit Slots(uint32_t capacity = kCapacity);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // False where mmap(2) failed; errno says why.
  bool ok() const { return slots_ != nullptr; }

  // The index of a fresh slot. The one that was freed last is taken first, because its page is warm.
  uint32_t Take();
  void Free(uint32_t index);

  // Sets it back to what it was when it was taken, for the next connection of a worker.
  void Clear(uint32_t index);

  Slot& operator[](uint32_t index) { return slots_[index]; }
  const Slot& operator[](uint32_t index) const { return slots_[index]; }

 private:
  uint32_t capacity_;
  Slot* slots_ = nullptr;
  uint32_t unused_ = 0;  // the first index that was never taken
  arena::Vector<uint32_t> free_;
};

}  // namespace truefork
