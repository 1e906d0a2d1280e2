// What a child alone knows of its connection, and the loop needs: one slot of shared memory to a child, which
// the child writes and the loop reads. No system call, no lock, and what a child wrote last is there after
// its death.
#pragma once

#include <atomic>
#include <cstdint>

#include "speed/arena.h"

namespace truefork {

// A cache line to each: children on other cores write to the neighbours.
struct alignas(64) Slot {
  std::atomic<int64_t> lastActivity{0};  // NowMicros() when bytes last moved; 0: nobody in the child says
  std::atomic<uint64_t> bytesIn{0};
  std::atomic<uint64_t> bytesOut{0};
  std::atomic<bool> isOutOfMemory{false};
  std::atomic<int> execErrnum{0};  // why it is not the program that it should have become
};

class Slots {
 public:
  // Made before the first fork, for memory mapped later would be the parent's alone. Pages that no slot is
  // taken from cost nothing, so the capacity can be what no server will ever need.
  static constexpr uint32_t kCapacity = 1'000'000;

  // The memory is never given back: in a child it has to outlive the loop that made it.
  explicit Slots(uint32_t capacity = kCapacity);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // False where the memory could not be had (mmap(2)); errno tells why.
  bool ok() const { return slots_ != nullptr; }

  // The index of a fresh slot. The last that was freed comes first: its page is warm.
  uint32_t Take();
  // As it was when it was taken.
  void Clear(uint32_t index);
  void Free(uint32_t index) { free_.push_back(index); }

  Slot& operator[](uint32_t index) { return slots_[index]; }
  const Slot& operator[](uint32_t index) const { return slots_[index]; }

 private:
  Slot* slots_ = nullptr;
  uint32_t taken_ = 0;  // the first index that was never taken
  arena::Vector<uint32_t> free_;
};

}  // namespace truefork
