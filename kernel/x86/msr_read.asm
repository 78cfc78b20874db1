; SPDX-License-Identifier: BSD-2-Clause
; bool msr_read(uint32_t msr, uint64_t *value): a general protection fault of its RDMSR goes on at
; msr_read_failed (kernel/run/trap.c).

default rel
bits 64
section .text progbits alloc exec nowrite align=16

global msr_read:function (msr_read_end - msr_read)
global msr_read_rdmsr, msr_read_failed

msr_read:
    mov ecx, edi
msr_read_rdmsr:
    rdmsr
    shl rdx, 32
    or rax, rdx
    mov [rsi], rax
    mov eax, 1
    ret
msr_read_failed:
    xor eax, eax
    ret
msr_read_end:

section .note.GNU-stack noalloc noexec nowrite progbits
