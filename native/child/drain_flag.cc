#include "child/drain_flag.h"

#include <sys/mman.h>

#include <atomic>
#include <new>

namespace truefork {

namespace {

std::atomic<bool>* given = nullptr;

}  // namespace

bool Notice::Prepare() {
  void* page = mmap(nullptr, sizeof *given, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  given = new (page) std::atomic<bool>(false);
  return true;
}

void Notice::Give() {
  if (given != nullptr) given->store(true);
}

bool Notice::WasGiven() { return given != nullptr && given->load(); }

}  // namespace truefork
