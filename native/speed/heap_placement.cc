// Heap placement: puts V8's heap in one place. V8 maps every 256 KiB of it at a random address of its own,
// and each of those needs three page tables, which every fork copies and every child's end frees: more page
// tables than data. A zygote preloads this addon (ld.so(8)), so that the mmap() that V8 calls is the one
// below. It takes the first of those random addresses and puts what follows next to it. The heap as a whole
// stays at a random place.
//
// Where the addon is not preloaded only the addon itself calls this mmap(). TRUEFORK_SPEED=-heap-placement
// leaves the preload out (lib/fork/environment.ts).
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "support/libc_calls.h"

#if !defined(__SANITIZE_ADDRESS__)

namespace {

constexpr uintptr_t kChunk = 256 * 1024;  // v8::internal::MemoryChunk's size and alignment
constexpr uintptr_t kHugePage = 2 * 1024 * 1024;
constexpr size_t kNoChunk = 64 * 1024 * 1024;  // reservations, for code and the like, are larger

std::atomic<uintptr_t> next{0};

// V8 asks for what it needs and almost a chunk more, to cut an aligned piece out of it. Where the kernel
// follows an aligned hint, V8 keeps the piece from its first byte on.
uintptr_t Take(uintptr_t wanted, size_t length) {
  uintptr_t none = 0;
  next.compare_exchange_strong(none, (wanted & ~(kHugePage - 1)) + kHugePage - kChunk);
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

// Declared under their names for the linker: in C++ one may be a macro for the other (_FILE_OFFSET_BITS,
// feature_test_macros(7)).
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
