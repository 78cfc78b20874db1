; SPDX-License-Identifier: BSD-2-Clause
; What ring_check.c runs in ring 3: a copy of this code at an address of its own, read-only. RDI: a page of
; data, whose end is the stack's. RSI: kernel code. RDX: kernel data.

default rel
bits 64

%define UD 6
%define NM 7
%define SS 12
%define GP 13
%define PF 14
%define INT(v) (v * 8 + 2)  ; error code of a gate that isn't ring 3's
%define READ 4              ; error code of ring 3's page faults; SDM vol. 3, figure 5-12
%define WRITE 6
%define FETCH 20
%define PRESENT 1
%define KERNEL_CODE 8
%define USER_DATA 0x2b
%define NOT_CANONICAL 0x800000000000
%define UNMAPPED 0x123456000
%define RFLAGS_TF 0x100
%define RFLAGS_DF 0x400
%define RFLAGS_NT 0x4000
%define RFLAGS_AC 0x40000

; struct ring_case: where it begins and ends, by which vector or, elsewhere, by which other one, with which
; error code, after how many calls. A case that finds something wrong ends elsewhere, by HLT.
%macro CASE 3-5 0, 0        ; name, vector, error code, calls, the other vector
  %if %5
    %define %%other %5
  %else
    %define %%other %2
  %endif
  %defstr %%name %1
  %strlen %%length %%name
    [section .rodata.ring_cases progbits alloc noexec nowrite align=8]
    dq begin_%1, end_%1
    dd %2, %%other, %3, %4
    db %%name
    times 24 - %%length db 0
    __?SECT?__
begin_%1:
%endmacro

[section .rodata.ring_cases progbits alloc noexec nowrite align=8]
global ring_cases
ring_cases:

global ring_check_code, ring_check_code_end
section .rodata.ring_check progbits alloc noexec nowrite align=16
ring_check_code:

; ---- privileged ----

CASE cli, GP, 0
end_cli:
    cli

CASE sti, GP, 0
end_sti:
    sti

CASE hlt, GP, 0
end_hlt:
    hlt

CASE in, GP, 0
    mov edx, 0xcf8
end_in:
    in eax, dx

CASE out, GP, 0
end_out:
    out 0x64, al

CASE rdmsr, GP, 0
    mov ecx, 0x10
end_rdmsr:
    rdmsr

CASE wrmsr, GP, 0
    mov ecx, 0xc0000102
end_wrmsr:
    wrmsr

CASE cr3, GP, 0
end_cr3:
    mov cr3, rax

CASE dr7, GP, 0
end_dr7:
    mov dr7, rax

CASE lidt, GP, 0
end_lidt:
    lidt [rdi]

CASE invlpg, GP, 0
end_invlpg:
    invlpg [rdi]

CASE swapgs, GP, 0
end_swapgs:
    swapgs

CASE sysret, GP, 0
end_sysret:
    o64 sysret

CASE sysenter, GP, 0, 0, UD ; AMD has none in long mode
end_sysenter:
    sysenter

CASE wrgsbase, UD, 0
    mov rax, -1
end_wrgsbase:
    wrgsbase rax

CASE iretq_ring0, GP, KERNEL_CODE
    push 0
    push rdi
    push 2
    push KERNEL_CODE
    push rsi
end_iretq_ring0:
    iretq

CASE retf_ring0, GP, KERNEL_CODE
    push KERNEL_CODE
    push rsi
end_retf_ring0:
    retfq

; ---- gates ----

CASE int3, GP, INT(3)
end_int3:
    int3

CASE int_nmi, GP, INT(2)
end_int_nmi:
    int 2

CASE int_page_fault, GP, INT(14)
end_int_page_fault:
    int 14

CASE int_linux, GP, INT(0x80)
end_int_linux:
    int 0x80

CASE int_timer, GP, INT(0xf0)
end_int_timer:
    int 0xf0

; ---- what a program does wrong ----

CASE ud2, UD, 0
end_ud2:
    ud2

CASE div, 0, 0
end_div:
    div ecx

CASE x87, NM, 0
end_x87:
    fninit

CASE fwait, NM, 0
end_fwait:
    fwait

CASE mmx, NM, 0
end_mmx:
    movq mm0, rax

CASE sse, UD, 0
end_sse:
    xorps xmm0, xmm0

CASE read_kernel, PF, READ | PRESENT
end_read_kernel:
    mov rax, [rdx]

CASE write_kernel, PF, WRITE | PRESENT
end_write_kernel:
    mov [rdx], rax

CASE jump_kernel, PF, FETCH | PRESENT
    jmp rsi

CASE write_code, PF, WRITE | PRESENT
    lea rax, [ring_check_code]
end_write_code:
    mov [rax], rax

CASE jump_data, PF, FETCH | PRESENT
    jmp rdi

CASE read_wild, PF, READ
    mov rax, UNMAPPED
end_read_wild:
    mov rax, [rax]

CASE write_wild, PF, WRITE
    mov rax, UNMAPPED
end_write_wild:
    mov [rax], rax

CASE jump_wild, PF, FETCH
    mov rax, UNMAPPED
    jmp rax

CASE call_null, PF, FETCH
    call rax

CASE read_not_canonical, GP, 0
    mov rax, NOT_CANONICAL
end_read_not_canonical:
    mov rax, [rax]

CASE jump_not_canonical, GP, 0
    mov rax, NOT_CANONICAL
    jmp rax

CASE push_not_canonical, SS, 0, 0, GP ; QEMU
    mov rsp, NOT_CANONICAL + 8
end_push_not_canonical:
    push rax

CASE step, 1, 0
    push RFLAGS_TF | 2
    popfq
    nop
end_step:
    nop

; ---- calls, with what may trouble the kernel ----

CASE call_step, 1, 0, 1
    push RFLAGS_TF | 2
    popfq
    syscall
    nop
end_call_step:
    hlt

CASE call_flags, UD, 0, 1
    push RFLAGS_NT | RFLAGS_AC | RFLAGS_DF | 2
    popfq
    syscall
    pushfq
    pop rax
    and eax, RFLAGS_NT | RFLAGS_AC | RFLAGS_DF
    cmp eax, RFLAGS_NT | RFLAGS_AC | RFLAGS_DF
    jne wrong
end_call_flags:
    ud2

CASE call_rsp, UD, 0, 1
    mov rax, NOT_CANONICAL
    mov rsp, rax
    syscall
    mov rbx, NOT_CANONICAL
    cmp rsp, rbx
    jne wrong
end_call_rsp:
    ud2

CASE call_selectors, UD, 0, 1
    mov eax, USER_DATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    syscall
    mov [rdi], rax
end_call_selectors:
    ud2

%assign n 1
%macro SET 1-*
  %rep %0
    lea %1, [rax + 4096 * n]
    %assign n n + 1
    %rotate 1
  %endrep
%endmacro
%macro COMPARE 1-*
  %assign n 1
  %rep %0
    lea rax, [rdi + 4096 * (n - 4)]
    cmp %1, rax
    jne wrong
    %assign n n + 1
    %rotate 1
  %endrep
%endmacro
CASE call_registers, UD, 0, 1
    mov rax, rdi            ; each gets a value of its own
    SET rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15
    syscall
    COMPARE rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15
end_call_registers:
    ud2

; ---- interrupts, until the data's second word is set; its first one counts rounds ----

; Its registers stay as they are, whatever comes; its flags and RSP do the kernel no harm.
CASE interrupts, UD, 0
    push RFLAGS_NT | RFLAGS_AC | RFLAGS_DF | 2
    popfq
    mov rsp, NOT_CANONICAL
.round:
    inc rbx
    inc qword [rdi]
    cmp rbx, [rdi]
    jne wrong
    cmp qword [rdi + 8], 0
    je .round
end_interrupts:
    ud2

wrong:
    hlt

; Ends that are somewhere else.
end_jump_data:
end_jump_kernel:
end_jump_wild:
end_call_null:
end_jump_not_canonical:
ring_check_code_end:

[section .rodata.ring_cases]
global ring_cases_end
ring_cases_end:

section .note.GNU-stack noalloc noexec nowrite progbits
