; SPDX-License-Identifier: BSD-2-Clause
; The kernel's first instructions, on the boot CPU.

default rel
bits 64
section .text.entry progbits alloc exec nowrite align=16

extern boot_cpu, boot_stack_top, kernel_main, cpu_set_gs

; RDI: physical address of the hand-off (kernel/handoff.h).
global kernel_entry:function (kernel_entry.end - kernel_entry)
kernel_entry:
    cli
    cld
    mov r12, rdi            ; CPUID in cpu_set_gs overwrites RBX
    mov rsp, boot_stack_top
    mov rdi, boot_cpu
    call cpu_set_gs
    mov rdi, r12
    xor ebp, ebp            ; ends backtraces
    call kernel_main
    ud2
.end:

section .note.GNU-stack noalloc noexec nowrite progbits
