#include "server/limits/slots.h"

#include <sys/mman.h>

#include <new>

namespace truefork {

Slots::Slots(uint32_t capacity) {
  void* memory = mmap(nullptr, size_t{capacity} * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) slots_ = static_cast<Slot*>(memory);
}

uint32_t Slots::Take() {
  uint32_t index = taken_;
  if (free_.empty()) {
    taken_++;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Clear(index);
  return index;
}

void Slots::Clear(uint32_t index) { new (&slots_[index]) Slot; }

}  // namespace truefork
