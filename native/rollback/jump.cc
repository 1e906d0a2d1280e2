#include "rollback/jump.h"

#include <cstdlib>

#if defined(__x86_64__)

// System V ABI for x86-64, 3.2.1: rbx, rbp, r12 to r15, the x87 control word and the control bits of mxcsr
// belong to the caller.
asm(R"(
.text
.hidden truefork_save_registers
.globl truefork_save_registers
.type truefork_save_registers, @function
truefork_save_registers:
  endbr64
  movq %rbx, 0(%rdi)
  movq %rbp, 8(%rdi)
  movq %r12, 16(%rdi)
  movq %r13, 24(%rdi)
  movq %r14, 32(%rdi)
  movq %r15, 40(%rdi)
  leaq 8(%rsp), %rax
  movq %rax, 48(%rdi)
  movq (%rsp), %rax
  movq %rax, 56(%rdi)
  stmxcsr 64(%rdi)
  fnstcw 68(%rdi)
  xorl %eax, %eax
  ret
.size truefork_save_registers, .-truefork_save_registers

.hidden truefork_jump_back
.globl truefork_jump_back
.type truefork_jump_back, @function
truefork_jump_back:
  endbr64
  cld
  movq 0(%rdi), %rbx
  movq 8(%rdi), %rbp
  movq 16(%rdi), %r12
  movq 24(%rdi), %r13
  movq 32(%rdi), %r14
  movq 40(%rdi), %r15
  movq 48(%rdi), %rsp
  ldmxcsr 64(%rdi)
  fldcw 68(%rdi)
  movl $1, %eax
  jmpq *56(%rdi)
.size truefork_jump_back, .-truefork_jump_back

.hidden truefork_call_on_stack
.globl truefork_call_on_stack
.type truefork_call_on_stack, @function
truefork_call_on_stack:
  endbr64
  movq %rdi, %rsp
  xorl %ebp, %ebp
  callq *%rsi
  ud2
.size truefork_call_on_stack, .-truefork_call_on_stack
)");

#elif defined(__aarch64__)

// Procedure call standard for arm64, 6.1: x19 to x28, the frame pointer, and the low halves of v8 to v15
// belong to the caller. A return address that is signed (FEAT_PAuth) was signed for the same stack pointer,
// with the same keys.
asm(R"(
.text
.hidden truefork_save_registers
.globl truefork_save_registers
.type truefork_save_registers, %function
truefork_save_registers:
  hint 34
  stp x19, x20, [x0, 0]
  stp x21, x22, [x0, 16]
  stp x23, x24, [x0, 32]
  stp x25, x26, [x0, 48]
  stp x27, x28, [x0, 64]
  stp x29, x30, [x0, 80]
  mov x2, sp
  str x2, [x0, 96]
  stp d8, d9, [x0, 104]
  stp d10, d11, [x0, 120]
  stp d12, d13, [x0, 136]
  stp d14, d15, [x0, 152]
  mrs x2, fpcr
  str x2, [x0, 168]
  mov w0, 0
  ret
.size truefork_save_registers, .-truefork_save_registers

.hidden truefork_jump_back
.globl truefork_jump_back
.type truefork_jump_back, %function
truefork_jump_back:
  hint 34
  ldp x19, x20, [x0, 0]
  ldp x21, x22, [x0, 16]
  ldp x23, x24, [x0, 32]
  ldp x25, x26, [x0, 48]
  ldp x27, x28, [x0, 64]
  ldp x29, x30, [x0, 80]
  ldr x2, [x0, 96]
  mov sp, x2
  ldp d8, d9, [x0, 104]
  ldp d10, d11, [x0, 120]
  ldp d12, d13, [x0, 136]
  ldp d14, d15, [x0, 152]
  ldr x2, [x0, 168]
  msr fpcr, x2
  mov w0, 1
  ret
.size truefork_jump_back, .-truefork_jump_back

.hidden truefork_call_on_stack
.globl truefork_call_on_stack
.type truefork_call_on_stack, %function
truefork_call_on_stack:
  hint 34
  mov sp, x0
  mov x29, 0
  mov x30, 0
  blr x1
  brk 1
.size truefork_call_on_stack, .-truefork_call_on_stack
)");

#else

// A machine whose registers nobody has described: Rollback::IsPossible() says so, and this is never called.
extern "C" {
int truefork_save_registers(truefork::rollback::Registers*) { return 0; }
void truefork_jump_back(const truefork::rollback::Registers*) { abort(); }
void truefork_call_on_stack(void*, void (*)()) { abort(); }
}

#endif
