; SPDX-License-Identifier: BSD-2-Clause
; Where each CPU of a domain begins: its number in RDI, all other registers zero.

default rel
bits 64

DOMAIN_STACKS     equ 0x20000000 ; kernel/domain/abi.h
DOMAIN_STACK_SPAN equ 0x100000

extern program_start

section .text.entry progbits alloc exec nowrite align=16
global program_entry
program_entry:
    lea rax, [rdi + 1]
    imul rax, rax, DOMAIN_STACK_SPAN
    lea rsp, [rax + DOMAIN_STACKS]
    xor ebp, ebp            ; where backtraces end
    call program_start
    ud2

section .note.GNU-stack noalloc noexec nowrite progbits
