#include "trace/registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

namespace truefork::trace {

#if defined(__x86_64__) || defined(__aarch64__)

namespace {

// struct ptrace_syscall_info of linux/ptrace.h, which cannot be included beside sys/ptrace.h everywhere.
struct SyscallInfo {
  uint8_t op;
  uint8_t pad[3];
  uint32_t arch;
  uint64_t instruction;
  uint64_t stack;
  union {
    struct {
      uint64_t number;
      uint64_t arguments[6];
    } entry;
    struct {
      int64_t result;
      uint8_t isError;
    } exit;
  };
  uint64_t spare[2];
};

constexpr int kGetSyscallInfo = 0x420e;

bool ReadInfo(pid_t tid, SyscallInfo* info) {
  return ptrace(static_cast<decltype(PTRACE_CONT)>(kGetSyscallInfo), tid, sizeof *info, info) > 0;
}

bool GetSet(pid_t tid, int set, void* data, size_t size) {
  iovec vector = {data, size};
  return ptrace(PTRACE_GETREGSET, tid, set, &vector) == 0;
}

bool SetSet(pid_t tid, int set, void* data, size_t size) {
  iovec vector = {data, size};
  return ptrace(PTRACE_SETREGSET, tid, set, &vector) == 0;
}

using Registers = user_regs_struct;

#if defined(__x86_64__)
unsigned long long* ArgumentOf(Registers& registers, int index) {
  unsigned long long* const arguments[] = {&registers.rdi, &registers.rsi, &registers.rdx,
                                           &registers.r10, &registers.r8,  &registers.r9};
  return arguments[index];
}
#else
unsigned long long* ArgumentOf(Registers& registers, int index) { return &registers.regs[index]; }

constexpr int kSystemCallSet = 0x404;  // NT_ARM_SYSTEM_CALL
#endif

template <typename Change>
bool Update(pid_t tid, Change change) {
  Registers registers;
  if (!GetSet(tid, NT_PRSTATUS, &registers, sizeof registers)) return false;
  change(registers);
  return SetSet(tid, NT_PRSTATUS, &registers, sizeof registers);
}

}  // namespace

bool ReadEntry(pid_t tid, CallState* state) {
  SyscallInfo info;
  if (!ReadInfo(tid, &info)) return false;
  state->number = static_cast<long>(info.entry.number);
  for (int i = 0; i < 6; i++) state->arguments[i] = info.entry.arguments[i];
  state->instruction = info.instruction;
  state->stack = info.stack;
  state->result = 0;
  return true;
}

bool ReadExit(pid_t tid, int64_t* result) {
  SyscallInfo info;
  if (!ReadInfo(tid, &info)) return false;
  *result = info.exit.result;
  return true;
}

bool SkipCall(pid_t tid) {
#if defined(__x86_64__)
  return Update(tid, [](Registers& registers) { registers.orig_rax = static_cast<uint64_t>(-1); });
#else
  int number = -1;
  return SetSet(tid, kSystemCallSet, &number, sizeof number);
#endif
}

bool SetArgument(pid_t tid, int index, uint64_t value) {
  return Update(tid, [=](Registers& registers) { *ArgumentOf(registers, index) = value; });
}

bool SetResult(pid_t tid, int64_t result) {
#if defined(__x86_64__)
  return Update(tid, [=](Registers& registers) { registers.rax = static_cast<uint64_t>(result); });
#else
  return Update(tid, [=](Registers& registers) { registers.regs[0] = static_cast<uint64_t>(result); });
#endif
}

bool ReadInstruction(pid_t tid, uint64_t* instruction, uint64_t* stack, uint64_t* link) {
  Registers registers;
  if (!GetSet(tid, NT_PRSTATUS, &registers, sizeof registers)) return false;
#if defined(__x86_64__)
  *instruction = registers.rip;
  *stack = registers.rsp;
  *link = 0;
#else
  *instruction = registers.pc;
  *stack = registers.sp;
  *link = registers.regs[30];
#endif
  return true;
}

#else  // Tracer::Launch() refuses

bool ReadEntry(pid_t, CallState*) { return false; }
bool ReadExit(pid_t, int64_t*) { return false; }
bool SkipCall(pid_t) { return false; }
bool SetArgument(pid_t, int, uint64_t) { return false; }
bool SetResult(pid_t, int64_t) { return false; }
bool ReadInstruction(pid_t, uint64_t*, uint64_t*, uint64_t*) { return false; }

#endif

}  // namespace truefork::trace
