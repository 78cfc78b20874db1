; SPDX-License-Identifier: BSD-2-Clause
; The kernel's first instructions (boot CPU) and the way in for the other CPUs.

default rel
bits 64
section .text.entry progbits alloc exec nowrite align=16

extern boot_cpu, boot_stack_top, kernel_main, cpu_start_secondary

MSR_GS_BASE   equ 0xc0000101
GS_STACK_TOP  equ 8
GS_GUARD      equ 40

; RDI: physical address of the hand-off (kernel/handoff.h).
global kernel_entry:function (kernel_entry.end - kernel_entry)
kernel_entry:
    cli
    cld
    mov r12, rdi            ; CPUID in set_gs overwrites RBX
    mov rsp, boot_stack_top
    mov rdi, boot_cpu
    call set_gs
    mov rdi, r12
    xor ebp, ebp            ; ends backtraces
    call kernel_main
    ud2
.end:

; RDI: struct cpu of this CPU. From the trampoline, on the kernel's page tables.
global secondary_entry:function (secondary_entry.end - secondary_entry)
secondary_entry:
    mov rsp, [rdi + GS_STACK_TOP]
    call set_gs
    xor ebp, ebp
    call cpu_start_secondary
    ud2
.end:

; Points GS at the CPU's structure and gives the stack protector a canary that differs from boot to
; boot: RDRAND where there is one, always mixed with the TSC; its lowest byte is 0, which stops
; string overruns.
set_gs:
    mov r8, rdi
    mov rdx, rdi
    shr rdx, 32
    mov eax, edi
    mov ecx, MSR_GS_BASE
    wrmsr
    mov [gs:0], r8
    mov eax, 1
    cpuid
    xor r9d, r9d
    bt ecx, 30
    jnc .no_rdrand
    rdrand r9
.no_rdrand:
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov rcx, 0x9e3779b97f4a7c15
    imul rax, rcx
    xor rax, r9
    xor al, al
    mov [gs:GS_GUARD], rax
    ret

section .note.GNU-stack noalloc noexec nowrite progbits
