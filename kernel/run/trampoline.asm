; SPDX-License-Identifier: BSD-2-Clause
; Where an application processor starts: copied to a page below 1 MiB, entered in real mode with
; CS = page >> 4 by a start-up IPI. Goes straight to long mode on tables that also map this page, and
; on to secondary_entry, which isn't copied.

section .rodata progbits alloc noexec nowrite align=16

extern cpu_park

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
    jz .park
    mov rsi, [rbx + AT(param_main)]
    mov rcx, [rbx + AT(param_entry)]
    jmp rcx                 ; secondary_entry leaves these tables as soon as it is in C
.park:                      ; not used, or given up long ago
    mov rcx, cpu_park
    jmp rcx

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
param_main:       dq 0
trampoline_end:

; ---- on the kernel's page tables ----

section .text progbits alloc exec nowrite align=16

MSR_GS_BASE   equ 0xc0000101
GS_STACK_TOP  equ 8
GS_GUARD      equ 40

; RDI: struct cpu of this CPU. RSI: what it runs in C, which never comes back.
global secondary_entry:function (secondary_entry.end - secondary_entry)
secondary_entry:
    mov rsp, [rdi + GS_STACK_TOP]
    mov r12, rsi            ; CPUID in cpu_set_gs overwrites RBX
    call cpu_set_gs
    xor ebp, ebp            ; ends backtraces
    call r12
    ud2
.end:

; RDI: struct cpu. Points GS at it and gives the stack protector a canary that differs from boot to
; boot: RDRAND where there is one, always mixed with the TSC; its lowest byte is 0, which stops
; string overruns.
global cpu_set_gs:function (cpu_set_gs.end - cpu_set_gs)
cpu_set_gs:
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
.end:

section .note.GNU-stack noalloc noexec nowrite progbits
