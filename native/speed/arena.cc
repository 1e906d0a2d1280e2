#include "speed/arena.h"

#include <sys/mman.h>

#include <new>

#include "speed/switches.h"

namespace truefork::arena {

namespace {

constexpr size_t kBlock = 64 * 1024;
constexpr size_t kSmallest = 16;
constexpr int kClasses = 10;  // powers of two, up to 8 KiB; what is larger has pages of its own anyway

struct Free {
  Free* next;
};

Free* freed[kClasses];  // by size class, so that what was freed is used again first
char* block = nullptr;
size_t left = 0;

bool IsUsed() {
#ifdef __SANITIZE_ADDRESS__
  return false;  // the sanitizer knows the borders of its own allocations
#endif
  static const bool isUsed = speed::IsOn(speed::Measure::Arena);
  return isUsed;
}

int ClassOf(size_t size) {
  int which = 0;
  while (which < kClasses && kSmallest << which < size) which++;
  return which;
}

void* Carve(size_t size) {
  if (left < size) {
    void* got = mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return ::operator new(size);
    block = static_cast<char*>(got);
    left = kBlock;
  }
  left -= size;
  return block + left;
}

}  // namespace

void* Take(size_t size) {
  const int which = IsUsed() ? ClassOf(size) : kClasses;
  if (which == kClasses) return ::operator new(size);
  if (freed[which] == nullptr) return Carve(kSmallest << which);
  Free* memory = freed[which];
  freed[which] = memory->next;
  return memory;
}

void Give(void* memory, size_t size) {
  const int which = IsUsed() ? ClassOf(size) : kClasses;
  if (which == kClasses) return ::operator delete(memory);
  freed[which] = new (memory) Free{freed[which]};
}

}  // namespace truefork::arena
