// A stopped thread's system call: its number, arguments and result, on each architecture.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace truefork::trace {

// On others nothing can be traced.
#if defined(__x86_64__) || defined(__aarch64__)
constexpr bool kIsKnownArchitecture = true;
#else
constexpr bool kIsKnownArchitecture = false;
#endif

struct CallState {
  long number;
  uint64_t arguments[6];
  uint64_t instruction;
  uint64_t stack;
  int64_t result;
};

// False where the thread is gone: SIGKILL can end it at any time.
bool ReadEntry(pid_t tid, CallState* state);
bool ReadExit(pid_t tid, int64_t* result);

// At the entry: the call is not made. Its result has to be set at the exit.
bool SkipCall(pid_t tid);
bool SetArgument(pid_t tid, int index, uint64_t value);
bool SetResult(pid_t tid, int64_t result);

bool ReadInstruction(pid_t tid, uint64_t* instruction, uint64_t* stack, uint64_t* link);

}  // namespace truefork::trace
