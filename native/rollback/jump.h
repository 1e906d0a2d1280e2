// The jump back to the mark: what setjmp(3) and longjmp(3) do, without the C library's mangled pointers and
// checks, for the stack that is jumped to has been written anew.
#pragma once

#include <cstdint>

namespace truefork::rollback {

// The registers that a called function must preserve, the stack pointer and the return address; on x64 also
// the control words of both floating-point units. The signal mask is not among them.
struct alignas(16) Registers {
#if defined(__aarch64__)
  uint64_t saved[22];  // x19 to x30, sp, d8 to d15, fpcr
#else
  uint64_t saved[9];  // rbx, rbp, r12 to r15, rsp, rip, mxcsr and the x87 control word
#endif
};

#if defined(__x86_64__) || defined(__aarch64__)
constexpr bool kCanJump = true;
#else
constexpr bool kCanJump = false;
#endif

extern "C" {
// Returns 0, and once more, 1, for each JumpBack().
int truefork_save_registers(Registers* into) __attribute__((returns_twice, visibility("hidden")));
[[noreturn]] void truefork_jump_back(const Registers* to) __attribute__((visibility("hidden")));
// Calls `function` on another stack, whose end is `top`, 16-byte aligned. It must not return.
[[noreturn]] void truefork_call_on_stack(void* top, void (*function)()) __attribute__((visibility("hidden")));
}

}  // namespace truefork::rollback
