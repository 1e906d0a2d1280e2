// The slots of all children: shared memory in which each child counts, and the zygote reads.
#pragma once

#include <cstdint>

#include "protocol/slot.h"
#include "speed/arena.h"

namespace truefork {

// A page each, in one mapping. A child unmaps all pages but its own, so that it can write to no sibling's:
// two system calls, whatever the number of slots. A mapping for each slot would make every fork slower, which
// copies the list of mappings; and mprotect(2) would protect nothing, because the child can call it, too.
class Slots {
 public:
  // Mapped before the first fork: memory that is mapped later would not be shared with the children forked
  // before. Pages of slots that are never taken cost nothing but addresses.
  static constexpr uint32_t kCapacity = 131'072;

  // The memory is never unmapped in the zygote: in a child it outlives the loop that made it.
  explicit Slots(uint32_t capacity = kCapacity);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // False where mmap(2) failed; errno says why.
  bool ok() const { return pages_ != nullptr; }

  // Whether there is one to take.
  bool Any() const { return !free_.empty() || unused_ < capacity_; }
  // The index of a fresh slot. The one that was freed last is taken first, because its page is warm.
  uint32_t Take();
  void Free(uint32_t index);

  // Sets it back to what it was when it was taken, for the next connection of a worker.
  void Clear(uint32_t index);

  // In a child: no other slot can be reached from here on. False where the kernel refuses to.
  bool KeepOnly(uint32_t index);

  Slot& operator[](uint32_t index) { return *reinterpret_cast<Slot*>(pages_ + index * pageSize_); }
  const Slot& operator[](uint32_t index) const {
    return *reinterpret_cast<const Slot*>(pages_ + index * pageSize_);
  }

 private:
  uint32_t capacity_;
  size_t pageSize_;
  char* pages_ = nullptr;
  uint32_t unused_ = 0;  // the first index that was never taken
  arena::Vector<uint32_t> free_;
};

}  // namespace truefork
