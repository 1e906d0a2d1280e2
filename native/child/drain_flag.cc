#include "child/drain_flag.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <string>

namespace truefork {

namespace {

// linux/fcntl.h and linux/memfd.h, of which builders have older ones.
constexpr unsigned kCloseOnExec = 1, kAllowSealing = 2;
constexpr int kAddSeals = 1033, kSealFutureWrite = 0x10;

std::atomic<bool>* writable = nullptr;        // in the zygote alone
const std::atomic<bool>* readable = nullptr;  // and in children

void* Map(int fd, int protection) { return mmap(nullptr, sizeof *writable, protection, MAP_SHARED, fd, 0); }

}  // namespace

// Two mappings of one file. The writable one is not inherited (MADV_DONTFORK). The other was mapped through a
// read-only descriptor, so that mprotect(2) cannot make it writable either. No descriptor is left, and the
// seal refuses every way back to one that can write, /proc/self/map_files among them (memfd_create(2);
// Linux 5.1).
bool DrainFlag::Create() {
  const int fd = static_cast<int>(syscall(SYS_memfd_create, "truefork-drain", kCloseOnExec | kAllowSealing));
  if (fd < 0 || ftruncate(fd, sizeof *writable) != 0) return false;
  const int readOnly = open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
  void* zygotes = Map(fd, PROT_READ | PROT_WRITE);
  const bool isSealed = fcntl(fd, kAddSeals, kSealFutureWrite) == 0;
  // Without /proc the seal alone keeps the second mapping read-only.
  void* childrens = readOnly >= 0 || isSealed ? Map(readOnly >= 0 ? readOnly : fd, PROT_READ) : MAP_FAILED;
  if (readOnly >= 0) close(readOnly);
  close(fd);
  if (zygotes == MAP_FAILED || childrens == MAP_FAILED ||
      madvise(zygotes, sizeof *writable, MADV_DONTFORK) != 0)
    return false;
  writable = new (zygotes) std::atomic<bool>(false);
  readable = static_cast<const std::atomic<bool>*>(childrens);
  return true;
}

void DrainFlag::Set() {
  if (writable != nullptr) writable->store(true);
}

bool DrainFlag::IsSet() { return readable != nullptr && readable->load(); }

}  // namespace truefork
