#include "server/limits/slots.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "support/assert.h"

namespace truefork {

Slots::Slots(uint32_t capacity) : capacity_(capacity), pageSize_(sysconf(_SC_PAGESIZE)) {
  void* memory = mmap(nullptr, capacity * pageSize_, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) pages_ = static_cast<char*>(memory);
}

uint32_t Slots::Take() {
  TRUEFORK_ASSERT(Any());
  uint32_t index = unused_;
  if (free_.empty()) {
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

void Slots::Clear(uint32_t index) { new (&(*this)[index]) Slot; }

bool Slots::KeepOnly(uint32_t index) {
  const size_t before = index * pageSize_, behind = (capacity_ - index - 1) * pageSize_;
  return (before == 0 || munmap(pages_, before) == 0) &&
         (behind == 0 || munmap(pages_ + before + pageSize_, behind) == 0);
}

}  // namespace truefork
