// System calls without a C library around them: no errno, no symbol looked up at first use. For code that
// runs beside other code on the same thread-local memory.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace truefork {

#if defined(__x86_64__)

constexpr bool kHasRawSyscalls = true;

// The result, or -errno (syscall(2), "Architecture calling conventions").
inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  register long sixth asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
               : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

constexpr bool kHasRawSyscalls = true;

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long which asm("x8") = number;
  register long first asm("x0") = a;
  register long second asm("x1") = b;
  register long third asm("x2") = c;
  register long fourth asm("x3") = d;
  register long fifth asm("x4") = e;
  register long sixth asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(first)
               : "r"(which), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(sixth)
               : "memory");
  return first;
}

#else

constexpr bool kHasRawSyscalls = false;  // who needs them has to do without

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  const long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}

#endif

template <typename T>
long RawPointer(const T* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace truefork
