; SPDX-License-Identifier: BSD-2-Clause
; Where an application processor starts: copied to a page below 1 MiB, entered in real mode with
; CS = page >> 4 by a start-up IPI. Goes straight to long mode on tables that also map this page.

section .rodata progbits alloc noexec nowrite align=16

global trampoline_start, trampoline_end, trampoline_params

CR0_ON   equ 0x80010033     ; PG WP NE ET MP PE
MSR_EFER equ 0xc0000080
EFER_ON  equ 0x900          ; NXE LME

%define AT(label) (label - trampoline_start)

bits 16
trampoline_start:
    cli
    cld
    mov ax, cs
    mov ds, ax
    movzx ebx, ax
    shl ebx, 4              ; EBX: physical address of this page
    lea eax, [ebx + AT(gdt)]
    mov [AT(gdt_pointer) + 2], eax
    lea eax, [ebx + AT(long_mode)]
    mov [AT(far_target)], eax
    o32 lgdt [AT(gdt_pointer)]
    mov eax, [AT(param_cr4)]
    mov cr4, eax
    mov eax, [AT(param_cr3)]
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, EFER_ON
    xor edx, edx
    wrmsr
    mov eax, CR0_ON
    mov cr0, eax            ; protected mode, paging and long mode at once (SDM vol. 3, 10.8.5)
    jmp far dword [AT(far_target)]

bits 64
long_mode:
    mov eax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rdi, [rbx + AT(param_cpu)]
    test rdi, rdi
    jz .late
    mov rcx, [rbx + AT(param_entry)]
    jmp rcx                 ; secondary_entry leaves these tables as soon as it is in C
.late:                      ; given up long ago
    hlt
    jmp .late

align 8
gdt:
    dq 0
    dq 0x00af9b000000ffff   ; 64-bit code
    dq 0x00cf93000000ffff   ; data
gdt_pointer:
    dw gdt_pointer - gdt - 1
    dd 0
far_target:
    dd 0
    dw 8
align 8
trampoline_params:          ; struct trampoline_params in smp.c
param_cr3:        dq 0
param_cr4:        dq 0
param_cpu:        dq 0
param_entry:      dq 0
trampoline_end:

section .note.GNU-stack noalloc noexec nowrite progbits
