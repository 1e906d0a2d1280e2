#include "child/drain_flag.h"

#include <sys/mman.h>

#include <atomic>
#include <new>

namespace truefork {

namespace {

std::atomic<bool>* flag = nullptr;

}  // namespace

bool DrainFlag::Create() {
  void* page = mmap(nullptr, sizeof *flag, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  flag = new (page) std::atomic<bool>(false);
  return true;
}

void DrainFlag::Set() {
  if (flag != nullptr) flag->store(true);
}

bool DrainFlag::IsSet() { return flag != nullptr && flag->load(); }

}  // namespace truefork
