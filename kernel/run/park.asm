; SPDX-License-Identifier: BSD-2-Clause
; Where CPUs that are not used halt for good, whatever comes: an exception or NMI ends in a halt as
; well. They share a stack, since none of them ever goes back by it.

bits 64
section .text progbits alloc exec nowrite align=16

STACK_BYTES    equ 512
MSR_MCG_STATUS equ 0x17a

; No arguments; never comes back.
global cpu_park:function (cpu_park.end - cpu_park)
cpu_park:
    cli
    mov rsp, stack_top
    mov rax, cpu_park_idt
    lidt [rax]
    mov rax, cpu_parked
    lock inc dword [rax]
.halt:
    hlt
    jmp .halt
.end:

; With MCIP left set, the next machine check would shut the CPU down, and reset the machine.
global cpu_park_machine_check:function (cpu_park_machine_check.end - cpu_park_machine_check)
cpu_park_machine_check:
    mov ecx, MSR_MCG_STATUS
    xor eax, eax
    xor edx, edx
    wrmsr
.halt:
    hlt
    jmp .halt
.end:

global cpu_park_trap:function (cpu_park_trap.end - cpu_park_trap)
cpu_park_trap:
    hlt
    jmp cpu_park_trap
.end:

section .bss nobits alloc noexec write align=16
    resb STACK_BYTES
stack_top:

; How many have come here.
global cpu_parked
cpu_parked:
    resd 1

; What LIDT loads: desc.c fills it in.
alignb 8
global cpu_park_idt
cpu_park_idt:
    resb 10

section .note.GNU-stack noalloc noexec nowrite progbits
