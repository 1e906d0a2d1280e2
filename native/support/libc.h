// Where the two C libraries of Linux spell the same thing differently.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

namespace truefork {

// In C++ glibc has enumerations where POSIX, and musl, have int.
#ifdef __GLIBC__
using RLimitResource = __rlimit_resource;
using ITimerWhich = __itimer_which;
#else
using RLimitResource = int;
using ITimerWhich = int;
#endif

// The thread of a timer's SIGEV_THREAD_ID (timer_create(2)). Older glibc has no name for it.
inline pid_t& NotifiedThread(sigevent& event) {
#ifdef sigev_notify_thread_id
  return event.sigev_notify_thread_id;
#else
  return event._sigev_un._tid;
#endif
}

// The S_IFMT part of a file's mode (inode(7)), or -1: fstatat(2). Built here, that would need glibc 2.33, and
// musl has had statx() for a short time only.
inline int FileType(int folder, const char* path, int flags) {
#ifdef __GLIBC__
  struct statx status;
  return statx(folder, path, flags, STATX_TYPE, &status) == 0 ? status.stx_mode & S_IFMT : -1;
#else
  struct stat status;
  return fstatat(folder, path, &status, flags) == 0 ? static_cast<int>(status.st_mode & S_IFMT) : -1;
#endif
}

}  // namespace truefork

// glibc 2.34 moved POSIX threads into libc.so.6, under a new version of their names. The old version is there
// as well, and in every older glibc. Before the first use of the two in a file.
#if defined(__GLIBC__) && defined(__x86_64__)
#define TRUEFORK_THREADS_OF_ANY_GLIBC                           \
  __asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5"); \
  __asm__(".symver pthread_detach,pthread_detach@GLIBC_2.2.5")
#elif defined(__GLIBC__) && defined(__aarch64__)
#define TRUEFORK_THREADS_OF_ANY_GLIBC                          \
  __asm__(".symver pthread_create,pthread_create@GLIBC_2.17"); \
  __asm__(".symver pthread_detach,pthread_detach@GLIBC_2.17")
#else
#define TRUEFORK_THREADS_OF_ANY_GLIBC static_assert(true)
#endif
