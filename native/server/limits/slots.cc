#include "server/limits/slots.h"

#include <sys/mman.h>

#include <new>

#include "support/assert.h"

namespace truefork {

Slots::Slots(uint32_t capacity) : capacity_(capacity) {
  void* memory = mmap(nullptr, size_t{capacity} * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) slots_ = static_cast<Slot*>(memory);
}

uint32_t Slots::Take() {
  uint32_t index = unused_;
  if (free_.empty()) {
    TRUEFORK_ASSERT(unused_ < capacity_);  // Linux has no more process ids than this (PID_MAX_LIMIT is 4 Mi)
    unused_++;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Clear(index);
  return index;
}

void Slots::Free(uint32_t index) {
  TRUEFORK_ASSERT(index < unused_ && free_.size() < unused_);
  free_.push_back(index);
}

void Slots::Clear(uint32_t index) { new (&slots_[index]) Slot; }

}  // namespace truefork
