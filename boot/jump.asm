; SPDX-License-Identifier: BSD-2-Clause
; From firmware's page tables to the kernel's entry.

bits 64
default rel
section .text

CR0_WP equ 16
CR4_PCIDE equ 17
CR4_CET equ 23
MSR_EFER equ 0xc0000080
EFER_NXE equ 11

; kernel_enter(RDI: hand-off, RSI: root of the page tables, RDX: entry). Both maps have this code at
; the same address. What firmware may have left on is changed only where it would be in the way:
; - CR4.CET: the kernel's entry is no ENDBR64, and no shadow stack waits for it;
; - CR4.PCIDE: CR3's low bits would name a context, and its entries for the upper half stay cached.
global kernel_enter:function hidden
kernel_enter:
    cli
    cld
    mov r8, rdx                 ; WRMSR takes EDX
    mov rax, cr4
    btr rax, CR4_CET
    btr rax, CR4_PCIDE
    mov cr4, rax
    mov ecx, MSR_EFER           ; before tables with bit 63 set are walked
    rdmsr
    bts eax, EFER_NXE
    wrmsr
    mov rax, cr0
    bts rax, CR0_WP
    mov cr0, rax
    mov cr3, rsi
    xor ebp, ebp
    jmp r8

section .note.GNU-stack noalloc noexec nowrite progbits
