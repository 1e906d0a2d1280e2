// Where V8's heap lies. V8 asks for every 256 KiB of it at a random address of its own; each of those needs
// three page tables, which every fork copies and every child's end frees: more of them than of data. A zygote
// preloads this addon (ld.so(8)), so that V8's mmap is the one below: it takes the first of those random
// addresses, and puts what follows next to it. The heap as a whole stays at a random place.
//
// In a process that did not preload it nobody but the addon itself finds this mmap.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "support/libc_calls.h"

#if !defined(__SANITIZE_ADDRESS__)

namespace {

constexpr uintptr_t kChunk = 256 * 1024;  // v8::internal::MemoryChunk's size and alignment
constexpr uintptr_t kLargePage = 2 * 1024 * 1024;
constexpr size_t kNoChunk = 64 * 1024 * 1024;  // reservations for code and the like are beyond it

std::atomic<uintptr_t> next{0};

// V8 asks for what it needs and almost a chunk more, to cut an aligned piece out of it. A hint that is
// aligned already, and taken, is kept from its first byte on.
uintptr_t Take(uintptr_t wanted, size_t length) {
  uintptr_t none = 0;
  next.compare_exchange_strong(none, (wanted & ~(kLargePage - 1)) + kLargePage - kChunk);
  const size_t kept = length > kChunk ? length - kChunk : length;
  return next.fetch_add((kept / kChunk + 1) * kChunk);
}

bool IsChunk(void* hint, size_t length, int flags) {
  constexpr int kThereOrNowhere = MAP_FIXED | MAP_FIXED_NOREPLACE;
  return hint != nullptr && (flags & MAP_ANONYMOUS) != 0 && (flags & kThereOrNowhere) == 0 &&
         reinterpret_cast<uintptr_t>(hint) % kChunk == 0 && length < kNoChunk;
}

void* Map(void* hint, size_t length, int protection, int flags, int fd, off_t offset) {
  truefork::libcCalls.mappings++;
  if (IsChunk(hint, length, flags))
    hint = reinterpret_cast<void*>(Take(reinterpret_cast<uintptr_t>(hint), length));
  return reinterpret_cast<void*>(syscall(SYS_mmap, hint, length, protection, flags, fd, offset));
}

}  // namespace

// By their names for the linker, for in C++ one may be the other (_FILE_OFFSET_BITS, feature_test_macros(7)).
extern "C" {
#define TRUEFORK_EXPORTED __attribute__((visibility("default")))
TRUEFORK_EXPORTED void* Mmap(void*, size_t, int, int, int, off_t) __asm__("mmap");
TRUEFORK_EXPORTED void* Mmap64(void*, size_t, int, int, int, off_t) __asm__("mmap64");
}

void* Mmap(void* hint, size_t length, int protection, int flags, int fd, off_t offset) {
  return Map(hint, length, protection, flags, fd, offset);
}

void* Mmap64(void* hint, size_t length, int protection, int flags, int fd, off_t offset) {
  return Map(hint, length, protection, flags, fd, offset);
}

#endif
