#include "rollback/outside.h"

#include <sys/mman.h>

#include "support/raw_syscall.h"

namespace truefork::rollback {

bool Region::Map(size_t size) {
  size = PagesUp(size);
  const long got = RawSyscall(SYS_mmap, 0, size + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got < 0 && got > -4096) return false;
  start_ = got + kPage;
  size_ = size;
  return RawSyscall(SYS_mprotect, start_, size_, PROT_READ | PROT_WRITE) == 0;
}

void Region::Protect(int protection) const { RawSyscall(SYS_mprotect, start_, size_, protection); }

}  // namespace truefork::rollback
