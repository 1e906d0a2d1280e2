// The C library's functions that libc_calls.h counts. The zygote preloads the addon (ld.so(8)), so that
// Node's own calls, its libraries' and those of native add-ons come by here. In a process that did not
// preload it, the addon alone finds them.

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/libc_calls.h"
#include "support/raw_syscall.h"

namespace truefork::rollback {

namespace {

// With the C library's convention: -1, and errno.
long Result(long result) {
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// A forked process shares pages with this one, and they cannot be told from unwritten ones any more. What
// forks without the C library is seen by waiting for children.
__attribute__((constructor)) void NoteForks() {
  pthread_atfork([] { libcCalls.processes++; }, nullptr, nullptr);
}

}  // namespace

}  // namespace truefork::rollback

#if !defined(__SANITIZE_ADDRESS__)

using truefork::libcCalls;
using truefork::RawPointer;
using truefork::RawSyscall;
using truefork::rollback::Result;

// By their names for the linker, as in speed/compact_heap.cc, which has mmap().
extern "C" {
#define TRUEFORK_INTERPOSED(name) __asm__(name) __attribute__((visibility("default")))
int Munmap(void*, size_t) TRUEFORK_INTERPOSED("munmap");
void* Mremap(void*, size_t, size_t, int, ...) TRUEFORK_INTERPOSED("mremap");
int Mprotect(void*, size_t, int) TRUEFORK_INTERPOSED("mprotect");
int PkeyMprotect(void*, size_t, int, int) TRUEFORK_INTERPOSED("pkey_mprotect");
int Madvise(void*, size_t, int) TRUEFORK_INTERPOSED("madvise");
int Mlock(const void*, size_t) TRUEFORK_INTERPOSED("mlock");
int Mlockall(int) TRUEFORK_INTERPOSED("mlockall");
void* Shmat(int, const void*, int) TRUEFORK_INTERPOSED("shmat");
int Semop(int, void*, size_t) TRUEFORK_INTERPOSED("semop");
int Unshare(int) TRUEFORK_INTERPOSED("unshare");
int Setns(int, int) TRUEFORK_INTERPOSED("setns");
int Chroot(const char*) TRUEFORK_INTERPOSED("chroot");
long Syscall(long, ...) TRUEFORK_INTERPOSED("syscall");
}

int Munmap(void* start, size_t size) {
  libcCalls.mappings++;
  return static_cast<int>(Result(RawSyscall(SYS_munmap, RawPointer(start), size)));
}

void* Mremap(void* start, size_t before, size_t after, int flags, ...) {
  va_list more;
  va_start(more, flags);
  void* to = va_arg(more, void*);
  va_end(more);
  libcCalls.mappings++;
  return reinterpret_cast<void*>(
      Result(RawSyscall(SYS_mremap, RawPointer(start), before, after, flags, RawPointer(to))));
}

int Mprotect(void* start, size_t size, int protection) {
  libcCalls.mappings++;
  return static_cast<int>(Result(RawSyscall(SYS_mprotect, RawPointer(start), size, protection)));
}

int PkeyMprotect(void* start, size_t size, int protection, int key) {
  libcCalls.mappings++;
  const long number = key == -1 ? SYS_mprotect : SYS_pkey_mprotect;
  return static_cast<int>(Result(RawSyscall(number, RawPointer(start), size, protection, key)));
}

int Madvise(void* start, size_t size, int advice) {
  libcCalls.mappings++;
  return static_cast<int>(Result(RawSyscall(SYS_madvise, RawPointer(start), size, advice)));
}

int Mlock(const void* start, size_t size) {
  libcCalls.locks++;
  return static_cast<int>(Result(RawSyscall(SYS_mlock, RawPointer(start), size)));
}

int Mlockall(int flags) {
  libcCalls.locks++;
  return static_cast<int>(Result(RawSyscall(SYS_mlockall, flags)));
}

void* Shmat(int id, const void* start, int flags) {
  libcCalls.locks++;
  return reinterpret_cast<void*>(Result(RawSyscall(SYS_shmat, id, RawPointer(start), flags)));
}

int Semop(int id, void* operations, size_t count) {
  libcCalls.locks++;
  return static_cast<int>(Result(RawSyscall(SYS_semtimedop, id, RawPointer(operations), count, 0)));
}

int Unshare(int flags) {
  libcCalls.security++;
  return static_cast<int>(Result(RawSyscall(SYS_unshare, flags)));
}

int Setns(int fd, int type) {
  libcCalls.security++;
  return static_cast<int>(Result(RawSyscall(SYS_setns, fd, type)));
}

int Chroot(const char* path) {
  libcCalls.security++;
  return static_cast<int>(Result(RawSyscall(SYS_chroot, RawPointer(path))));
}

namespace {

void Count(long number) {
  switch (number) {
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect:
    case SYS_pkey_mprotect:
    case SYS_madvise:
    case SYS_brk:
      libcCalls.mappings++;
      break;
    case SYS_clone:
#ifdef SYS_clone3
    case SYS_clone3:
#endif
#ifdef SYS_fork
    case SYS_fork:
    case SYS_vfork:
#endif
      libcCalls.processes++;
      break;
    case SYS_mlock:
    case SYS_mlock2:
    case SYS_mlockall:
    case SYS_shmat:
    case SYS_semtimedop:
    case SYS_io_setup:
    case SYS_userfaultfd:
      libcCalls.locks++;
      break;
    case SYS_unshare:
    case SYS_setns:
    case SYS_chroot:
    case SYS_pivot_root:
    case SYS_seccomp:
    case 446:  // landlock_restrict_self
      libcCalls.security++;
      break;
    default:
      break;
  }
}

}  // namespace

long Syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  long given[6];
  for (long& argument : given) argument = va_arg(more, long);
  va_end(more);
  Count(number);
  return Result(RawSyscall(number, given[0], given[1], given[2], given[3], given[4], given[5]));
}

#endif
